//! The loss of features that know nothing.

use fmicl_core::tch::Tensor;
use fmicl_core::testing::unit_rows;
use fmicl_core::{Negatives, Objective, Pairing};

/// The loss of independent random unit vectors in the shape of `pairing`: what training has to get below.
pub fn chance(objective: &dyn Objective, pairing: &Pairing) -> f64 {
    let like = |rows: &Tensor, seed| {
        let (count, d) = (rows.size()[0], rows.size()[1]);
        unit_rows(count, d, rows.kind(), seed).to_device(rows.device())
    };
    let positives = like(&pairing.positives, 2);
    let negatives = match &pairing.negatives {
        Negatives::Batch => Negatives::Batch,
        Negatives::Keys => Negatives::Keys,
        Negatives::Candidates(candidates) => {
            let hard = like(candidates, 3).slice(0, positives.size()[0], None, 1);
            Negatives::Candidates(Tensor::cat(&[&positives, &hard], 0))
        }
        Negatives::Bank(bank) => Negatives::Bank(like(bank, 3)),
    };
    let random = Pairing {
        anchors: like(&pairing.anchors, 1),
        positives,
        negatives,
    };
    objective.loss(&random).value.double_value(&[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::Part;
    use fmicl_core::tch::Kind;

    #[test]
    fn counts_the_negatives_wherever_they_come_from() {
        let infonce = |temperature: f64| {
            let options = toml::Table::from_iter([("temperature".to_string(), temperature.into())]);
            Part::<dyn Objective>::new("infonce", options).unwrap()
        };
        let pairing = |negatives| Pairing {
            anchors: unit_rows(50, 128, Kind::Float, 5),
            positives: unit_rows(50, 128, Kind::Float, 5),
            negatives,
        };
        let bank = unit_rows(300, 128, Kind::Float, 5);
        for (negatives, candidates) in [
            (Negatives::Batch, 99.0_f64),
            (Negatives::Keys, 50.0),
            (Negatives::Bank(bank), 301.0),
        ] {
            let level = chance(&*infonce(1.0), &pairing(negatives));
            // Cosines of 128 dimensions are all but 0, those of the equal features that came in are not.
            assert!(
                (level - candidates.ln()).abs() < 0.05,
                "{level} with {candidates} candidates"
            );
        }
    }
}
