//! What was measured at one moment of training, for whoever writes it down or shows it.

use super::trainer::Trainer;
use fmicl_core::{MetricValue, MetricValues};

/// What was measured at one moment, to which callbacks add in their order.
#[derive(Debug, Default)]
pub struct Measured {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The step, counted from 1.
    pub step: u64,
    /// All of it.
    pub values: MetricValues,
    /// The part of it that a line of the log has room for.
    pub line: String,
}

impl Measured {
    /// Nothing yet, in the running epoch.
    pub fn in_epoch(trainer: &Trainer) -> Self {
        let standing = &trainer.state.standing;
        Measured {
            epoch: standing.epochs + 1,
            step: standing.step,
            ..Measured::default()
        }
    }

    /// Nothing yet, of the epoch that is over.
    pub fn of_epoch(trainer: &Trainer) -> Self {
        let standing = &trainer.state.standing;
        Measured {
            epoch: standing.epochs,
            step: standing.step,
            ..Measured::default()
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
