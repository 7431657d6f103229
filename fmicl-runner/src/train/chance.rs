//! The loss of features that know nothing.

use fmicl_core::testing::unit_rows;
use fmicl_core::{Negatives, Objective, Pairing};

/// The loss of independent random unit vectors in the shape of `pairing`: what training has to get below.
pub fn chance(objective: &dyn Objective, pairing: &Pairing) -> f64 {
    let like = |rows: &fmicl_core::tch::Tensor, seed| {
        let (count, d) = (rows.size()[0], rows.size()[1]);
        unit_rows(count, d, rows.kind(), seed).to_device(rows.device())
    };
    let negatives = match &pairing.negatives {
        Negatives::Batch => Negatives::Batch,
        Negatives::Keys => Negatives::Keys,
        Negatives::Bank(bank) => Negatives::Bank(like(bank, 3)),
    };
    let random = Pairing {
        anchors: like(&pairing.anchors, 1),
        positives: like(&pairing.positives, 2),
        negatives,
    };
    objective.loss(&random).value.double_value(&[])
}
