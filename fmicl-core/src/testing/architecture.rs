//! The laws of an architecture.

use super::after_step::{Momenta, a_restored_learner_goes_on, shrink};
use super::{build_twice, distance, input_of, jitter, part_of, trainable, weights_without_gradient};
use crate::{Architecture, Backbone, Learner, Negatives, Pairing, Parameters, View};
use tch::{Kind, Tensor, nn};

/// Checks with `views`, at least as many as the architecture takes, each of the same `N >= 4` samples: pairings have
/// unit-length rows of one width, anchors with gradient, keys and banks without; a bank does not hold the batch's own
/// keys, and changes in `after_step` alone; gradients reach every trainable parameter, the kept backbone among them;
/// projections have unit length and depend neither on the rest of the batch nor on having been asked for; a variable
/// `momentum.x` starts as `x`, is not trained, and moves towards it in `after_step` where `x` is; the same seed builds
/// the same weights; all of it still holds after a step; and the variables are the whole state of a learner: with those
/// of another one, it continues like that one.
///
/// # Panics
/// With the law that is broken.
pub fn check_architecture(part: &dyn Architecture, backbone: &dyn Backbone, views: &[View]) {
    part.validate().expect("the options are in range");
    let input = input_of(&views[0]);
    let build = |root: &nn::Path| {
        part.build(root, &|path| backbone.build_for(path, input))
            .expect("the architecture builds")
    };
    let (store, mut learner) = build_twice(build);
    Momenta::of(&store).are_what_they_follow(part);
    // Zero-initialised gates would hide what lies behind them.
    jitter(&store);
    assert!(
        views.len() >= learner.views(),
        "the example needs {} views",
        learner.views()
    );
    let views = &views[..learner.views()];
    let n = views[0].input.size()[0];
    assert!(n >= 4, "the example needs at least four samples");

    let mut parameters = Parameters::new(&store);
    for (steps, progress) in [0.5, 1.0].into_iter().enumerate() {
        let pairings = learner.pairings(views);
        assert!(!pairings.is_empty(), "{part:?}: there are no pairings");
        for pairing in &pairings {
            check_pairing(part, pairing, n);
        }
        if steps == 0 {
            // Later the bank has keys of the same views, which may hardly differ.
            check_banks_are_of_others(part, &pairings);
        }
        let banks = banks(&pairings);
        let mut again = Vec::new();
        let silent = weights_without_gradient(&store, || {
            again = learner.pairings(views);
            again
                .iter()
                .map(|pairing| (pairing.anchors.randn_like() * &pairing.anchors).sum(Kind::Float))
                .sum()
        });
        assert!(silent.is_empty(), "{part:?}: no gradient reaches {}", silent.join(", "));
        assert_eq!(banks, self::banks(&again), "{part:?}: the bank changes before the step");
        check_projections(part, &*learner, &views[0], pairings[0].anchors.size()[1]);

        shrink(&mut parameters);
        let momenta = Momenta::of(&store);
        learner
            .after_step(&parameters, progress)
            .expect("the parts that it asks keep their promises");
        momenta.move_towards_what_they_follow(part, &store, progress);
    }
    a_restored_learner_goes_on(part, (&store, &mut *learner, &mut parameters), build, views);
    assert!(
        trainable(&store).all(|(_, var)| var.isfinite().all().int64_value(&[]) == 1),
        "{part:?}: a parameter is not finite after a step"
    );
    assert!(
        trainable(&store).any(|(name, _)| name.starts_with("backbone.")),
        "{part:?}: there is no trainable `backbone.`, where the kept backbone belongs"
    );
}

/// Copies of the banks, which may be views of a buffer that changes.
fn banks(pairings: &[Pairing]) -> Vec<Tensor> {
    let bank = |pairing: &Pairing| match &pairing.negatives {
        Negatives::Bank(bank) => Some(bank.copy()),
        Negatives::Batch | Negatives::Keys | Negatives::Candidates(_) => None,
    };
    pairings.iter().filter_map(bank).collect()
}

fn check_pairing(part: &dyn Architecture, pairing: &Pairing, n: i64) {
    let d = pairing.anchors.size()[1];
    let unit = |what: &str, rows: &Tensor| {
        assert!(
            (rows.dim(), rows.size()[1]) == (2, d),
            "{part:?}: {what} is not of width {d}"
        );
        let norm = rows.norm_scalaropt_dim(2.0, [1].as_slice(), false);
        let off = distance(&norm, &norm.ones_like());
        assert!(
            off < 1e-5,
            "{part:?}: rows of {what} are not of unit length: off by {off:e}"
        );
    };
    unit("anchors", &pairing.anchors);
    unit("positives", &pairing.positives);
    let counts = (pairing.anchors.size()[0], pairing.positives.size()[0]);
    assert_eq!(counts, (n, n), "{part:?}: anchors and positives are not one a sample");
    assert!(pairing.anchors.requires_grad(), "{part:?}: anchors have no gradient");
    match &pairing.negatives {
        Negatives::Batch => assert!(
            pairing.positives.requires_grad(),
            "{part:?}: positives from one network have no gradient"
        ),
        Negatives::Keys => assert!(!pairing.positives.requires_grad(), "{part:?}: keys have a gradient"),
        Negatives::Candidates(candidates) => {
            unit("the candidates", candidates);
            let first = candidates.narrow(0, 0, n);
            assert!(
                first.equal(&pairing.positives) && candidates.requires_grad(),
                "{part:?}: the first candidates are not the positives, with gradient"
            );
        }
        Negatives::Bank(bank) => {
            unit("the bank", bank);
            assert!(!bank.requires_grad(), "{part:?}: the bank has a gradient");
        }
    }
}

fn check_banks_are_of_others(part: &dyn Architecture, pairings: &[Pairing]) {
    for pairing in pairings {
        if let Negatives::Bank(bank) = &pairing.negatives {
            let nearest = pairing.positives.matmul(&bank.tr()).max().double_value(&[]);
            assert!(nearest < 1.0 - 1e-6, "{part:?}: the bank holds the batch's own keys");
        }
    }
}

fn check_projections(part: &dyn Architecture, learner: &dyn Learner, view: &View, d: i64) {
    let n = view.input.size()[0];
    let rows = learner.project(view);
    assert_eq!(rows.size(), [n, d], "{part:?}: projections are not [N, d]");
    let norm = rows.norm_scalaropt_dim(2.0, [1].as_slice(), false);
    assert!(
        distance(&norm, &norm.ones_like()) < 1e-5,
        "{part:?}: projections are not of unit length"
    );
    assert!(
        rows.equal(&learner.project(view)),
        "{part:?}: projecting gives something else the second time"
    );
    let alone = distance(&learner.project(&part_of(view, 1)), &rows.narrow(0, 0, 1));
    assert!(
        alone < 1e-4,
        "{part:?}: a projection depends on the rest of the batch: off by {alone:e}"
    );
    let features = learner.encoder().forward(view, false);
    assert_eq!(
        features.size(),
        [n, learner.encoder().width()],
        "{part:?}: the kept backbone's features are not [N, width]"
    );
}
