//! The laws of a backbone.

use super::{build_twice, distance, input_of, jitter, part_of, weights_without_gradient};
use crate::{Backbone, Encoder, View};
use tch::{Kind, Tensor, nn};

/// Checks with `example`, a view of `N >= 2` different samples: features are finite and `[N, width]`; gradients
/// reach every trainable parameter; evaluation mode changes no parameter or buffer, gives the same features
/// twice, and a sample's features do not depend on the rest of the batch; the same seed builds the same weights;
/// no two parameters claim one name.
///
/// # Panics
/// With the law that is broken.
pub fn check_backbone(part: &dyn Backbone, example: &View) {
    part.validate().expect("the options are in range");
    let build = |root: &nn::Path| {
        part.build_for(&(root / "backbone"), input_of(example))
            .expect("the backbone builds for the example")
    };
    let (store, encoder) = build_twice(build);
    for name in store.variables().keys() {
        assert!(
            name.starts_with("backbone."),
            "{part:?}: {name} is outside of the path that was given"
        );
    }
    // Zero-initialised gates would hide what lies behind them.
    jitter(&store);
    features_are_what_they_should_be(part, &*encoder, example);
    let silent = weights_without_gradient(&store, || {
        let features = encoder.forward(example, true);
        (features.randn_like() * features).sum(Kind::Float)
    });
    assert!(silent.is_empty(), "{part:?}: no gradient reaches {}", silent.join(", "));
    evaluation_looks_at_one_sample_at_a_time(part, &store, &*encoder, example);
}

fn features_are_what_they_should_be(part: &dyn Backbone, encoder: &dyn Encoder, example: &View) {
    let n = example.input.size()[0];
    assert!(n >= 2, "the example needs at least two samples");
    for train in [true, false] {
        let features = encoder.forward(example, train);
        assert_eq!(
            features.size(),
            [n, encoder.width()],
            "{part:?}, train = {train}: features are not [N, width]"
        );
        assert!(
            features.isfinite().all().int64_value(&[]) == 1,
            "{part:?}, train = {train}: features are not finite"
        );
    }
}

fn evaluation_looks_at_one_sample_at_a_time(
    part: &dyn Backbone,
    store: &tch::nn::VarStore,
    encoder: &dyn Encoder,
    example: &View,
) {
    let copies: Vec<(String, Tensor)> = store
        .variables()
        .into_iter()
        .map(|(name, var)| (name, var.copy()))
        .collect();
    let features = encoder.forward(example, false);
    let again = encoder.forward(example, false);
    assert!(
        features.equal(&again),
        "{part:?}: evaluation gives other features the second time"
    );
    for (name, before) in copies {
        assert!(
            before.equal(&store.variables()[&name]),
            "{part:?}: evaluation changes {name}"
        );
    }
    let first = features.narrow(0, 0, 1);
    let alone = encoder.forward(&part_of(example, 1), false);
    let off = distance(&alone, &first);
    assert!(
        off < 1e-4,
        "{part:?}: a sample's features depend on the rest of the batch: off by {off:e}"
    );
    let spread = distance(&features.narrow(0, 1, 1), &first);
    assert!(spread > 0.0, "{part:?}: different samples have the same features");
}
