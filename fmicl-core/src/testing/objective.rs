//! The laws of an objective.

use super::unit_rows;
use crate::{Negatives, Objective, Pairing};
use tch::{Kind, Tensor};

/// Checks, for every source of negatives and down to `N = 2`, in f32 and f64: the loss is a finite scalar with a
/// finite gradient that is not all zero; it does not depend on the order of the pairs; and aligned pairs cost
/// less than mismatched ones.
///
/// # Panics
/// With the law that is broken.
pub fn check_objective(part: &dyn Objective) {
    part.validate().expect("the options are in range");
    for kind in [Kind::Float, Kind::Double] {
        for n in [2, 17] {
            let x = unit_rows(n, 8, kind, 1);
            // Drawn once: tests that run at the same time share libtorch's generator.
            let bank = unit_rows(32, 8, kind, 3);
            check_one(part, &x, |_| Negatives::Batch);
            check_one(part, &x, |_| Negatives::Keys);
            check_one(part, &x, |_| Negatives::Bank(bank.shallow_clone()));
            check_one(part, &x, |y| Negatives::Candidates(Tensor::cat(&[y, &bank], 0)));
        }
    }
}

fn check_one(part: &dyn Objective, x: &Tensor, source: impl Fn(&Tensor) -> Negatives) {
    let (n, kind) = (x.size()[0], x.kind());
    let loss = |anchors: Tensor, positives: Tensor| {
        let negatives = source(&positives);
        part.loss(&Pairing {
            anchors,
            positives,
            negatives,
        })
    };
    let what = format!("{part:?}, N = {n}, {kind:?}, {:?}", source(x));

    let anchors = x.copy().set_requires_grad(true);
    let other = unit_rows(n, 8, kind, 2);
    let unrelated = loss(anchors.shallow_clone(), other.shallow_clone());
    assert_eq!(
        (unrelated.value.size(), unrelated.value.kind()),
        (vec![], kind),
        "{what}: the loss is not a scalar of the features' kind"
    );
    assert!(
        unrelated.value.double_value(&[]).is_finite(),
        "{what}: the loss is not finite"
    );
    for (name, term) in &unrelated.terms {
        assert!(
            term.double_value(&[]).is_finite() && !term.requires_grad(),
            "{what}: the term {name} is not a plain finite number"
        );
    }
    unrelated.value.backward();
    let grad = anchors.grad();
    assert!(
        grad.isfinite().all().int64_value(&[]) == 1,
        "{what}: the gradient is not finite"
    );
    assert!(grad.abs().max().double_value(&[]) > 0.0, "{what}: the gradient is zero");

    let order = Tensor::arange(n, (Kind::Int64, x.device())).flip([0]);
    let permuted = loss(x.index_select(0, &order), other.index_select(0, &order)).value;
    let off = (permuted - &unrelated.value).abs().double_value(&[]);
    let tolerance = 1e-5 * unrelated.value.abs().double_value(&[]).max(1.0);
    assert!(off <= tolerance, "{what}: the loss depends on the order of the pairs");

    // The same features on both sides, once each with itself and once each with its neighbour.
    let aligned = loss(x.shallow_clone(), x.shallow_clone()).value.double_value(&[]);
    let mismatched = loss(x.shallow_clone(), x.roll([1], [0])).value.double_value(&[]);
    assert!(
        aligned < mismatched,
        "{what}: aligned pairs cost {aligned}, mismatched ones {mismatched}"
    );
}
