//! Measurements at one moment of training, to be written or shown.

use super::trainer::Trainer;
use fmicl_core::{MetricValue, MetricValues, Moment};

/// Measurements at one moment; callbacks add to them in their order.
#[derive(Debug)]
pub struct Measured {
    /// When.
    pub at: Moment,
    /// All of it.
    pub values: MetricValues,
    /// The part of it that a line of the log has room for.
    pub line: String,
}

impl Measured {
    /// Nothing yet, in the running epoch.
    pub fn in_epoch(trainer: &Trainer) -> Self {
        Measured::in_the(trainer.state.standing.epochs + 1, trainer)
    }

    /// Nothing yet, of the epoch that is over.
    pub fn of_epoch(trainer: &Trainer) -> Self {
        Measured::in_the(trainer.state.standing.epochs, trainer)
    }

    fn in_the(epoch: usize, trainer: &Trainer) -> Self {
        let step = trainer.state.standing.step;
        Measured {
            at: Moment { epoch, step },
            values: MetricValues::new(),
            line: String::new(),
        }
    }

    /// Adds a number.
    pub fn number(&mut self, name: impl Into<String>, value: f64) {
        self.values.push((name.into(), MetricValue::Number(value)));
    }

    /// Adds a number of things.
    pub fn count(&mut self, name: impl Into<String>, value: u64) {
        self.values.push((name.into(), MetricValue::Count(value)));
    }

    /// Adds a text.
    pub fn text(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.push((name.into(), MetricValue::Text(value.into())));
    }
}
