//! The loss of features that know nothing.

use super::progress::Progress;
use crate::train::callback::{Callback, Forward};
use crate::train::trainer::Trainer;
use fmicl_core::tch::Tensor;
use fmicl_core::testing::unit_rows;
use fmicl_core::{Negatives, Objective, Pairing, Rng};
use std::fmt;

/// Says, in a run's first step, which loss training has to get below.
#[derive(Debug)]
pub struct ChanceLevel {
    progress: Progress,
    /// Whether a batch has been seen.
    said: bool,
}

impl ChanceLevel {
    /// Said to `progress`.
    pub fn new(progress: Progress) -> Self {
        ChanceLevel { progress, said: false }
    }
}

impl Callback for ChanceLevel {
    fn loss(&mut self, trainer: &mut Trainer, forward: &Forward) {
        if trainer.state.standing.step > 0 || std::mem::replace(&mut self.said, true) {
            return;
        }
        let chance = Chance::of(&*trainer.plan.experiment.objective, &forward.pairings[0]);
        // It drew from libtorch's one generator; what follows must depend on the run's seed.
        trainer.plan.seed_step(0);
        self.progress.note(&format!(
            "chance level of the loss, of independent random features: {chance}"
        ));
    }
}

/// Draws that are made at least, and at most: as many as it takes for an error of [`ENOUGH`] of the loss, or of 1.
const DRAWS: (u64, u64) = (8, 64);
const ENOUGH: f64 = 0.005;
/// Rows that are drawn at most beyond the least number of draws: a large batch varies little, and takes long.
const ROWS: u64 = 65_536;

/// The loss of independent random unit vectors in the shape of a pairing, which training has to get below: an estimate of
/// its expectation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// The mean over draws.
    pub mean: f64,
    /// The standard deviation of a draw.
    pub deviation: f64,
    /// The draws.
    pub draws: u64,
}

impl Chance {
    /// Of an objective and a pairing, the same each time. It uses libtorch's generator.
    pub fn of(objective: &dyn Objective, pairing: &Pairing) -> Self {
        let rows = pairing.anchors.size()[0] as u64;
        let most = (ROWS / rows.max(1)).clamp(DRAWS.0, DRAWS.1);
        let mut losses = Vec::new();
        loop {
            losses.push(draw(objective, pairing, losses.len() as u64));
            let chance = Chance::from(&losses[..]);
            let enough = chance.draws >= DRAWS.0 && chance.error() <= ENOUGH * chance.mean.abs().max(1.0);
            if enough || chance.draws == most {
                return chance;
            }
        }
    }

    /// The standard error of the mean.
    pub fn error(&self) -> f64 {
        self.deviation / (self.draws as f64).sqrt()
    }
}

impl From<&[f64]> for Chance {
    fn from(losses: &[f64]) -> Self {
        let draws = losses.len() as f64;
        let mean = losses.iter().sum::<f64>() / draws;
        let squares = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>();
        Chance {
            mean,
            deviation: (squares / (draws - 1.0).max(1.0)).sqrt(),
            draws: losses.len() as u64,
        }
    }
}

impl fmt::Display for Chance {
    /// With the digits that the error leaves.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let digits = match self.error() {
            error if error > 0.0 => (-error.log10()).ceil().clamp(0.0, 4.0) as usize,
            _ => 4,
        };
        let Chance { mean, deviation, draws } = self;
        let error = self.error();
        write!(
            f,
            "{mean:.digits$} ± {error:.digits$} (mean of {draws} draws; standard deviation of a batch {deviation:.digits$})"
        )
    }
}

/// The loss of random features in the shape of `pairing`.
fn draw(objective: &dyn Objective, pairing: &Pairing, number: u64) -> f64 {
    let like = |rows: &Tensor, which: u64| {
        let (count, d) = (rows.size()[0], rows.size()[1]);
        // Seeds without a pattern.
        let seed = Rng::new(&[number, which]).bits() as i64;
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

    /// Few pairs and a sharp kernel: a draw alone is far off.
    #[test]
    fn it_is_the_expectation_within_its_error_and_shows_no_digit_beyond_it() {
        let options =
            "name = 'f-micl'\ndivergence = 'kl'\nshift = 'none'\nsimilarity = { name = 'gaussian', sigma = 0.5 }";
        let objective = Part::<dyn Objective>::from_value(toml::Value::Table(options.parse().unwrap())).unwrap();
        let rows = || unit_rows(8, 16, Kind::Float, 5);
        let pairing = Pairing {
            anchors: rows(),
            positives: rows(),
            negatives: Negatives::Batch,
        };
        // Others than those of the estimate.
        let many: Vec<f64> = (1000..5000).map(|number| draw(&*objective, &pairing, number)).collect();
        let truth = Chance::from(&many[..]);
        let chance = Chance::of(&*objective, &pairing);
        assert_eq!(chance, Chance::of(&*objective, &pairing), "the same each time");
        let off = (chance.mean - truth.mean).abs();
        assert!(
            off < 3.5 * chance.error() && truth.error() < chance.error() / 3.0,
            "{chance:?}, {truth:?}"
        );
        assert!(
            (chance.deviation / truth.deviation - 1.0).abs() < 0.5,
            "{chance:?}, {truth:?}"
        );
        let shown = |mean, deviation, draws| Chance { mean, deviation, draws }.to_string();
        assert_eq!(
            shown(1.23456, 0.5, 25),
            "1.2 ± 0.1 (mean of 25 draws; standard deviation of a batch 0.5)"
        );
        assert_eq!(
            shown(-0.123456, 0.00123, 9),
            "-0.1235 ± 0.0004 (mean of 9 draws; standard deviation of a batch 0.0012)"
        );
    }

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
            let level = Chance::of(&*infonce(1.0), &pairing(negatives)).mean;
            // Cosines of 128 dimensions are all but 0, those of the equal features that came in are not.
            assert!(
                (level - candidates.ln()).abs() < 0.05,
                "{level} with {candidates} candidates"
            );
        }
    }
}
