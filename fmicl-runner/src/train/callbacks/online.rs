//! The judgement of the encoder in the middle of training.

use crate::run::Model;
use crate::train::callback::Callback;
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use fmicl_core::MetricValues;

/// Judges the encoder every few epochs, by what whoever trains it hands in: training itself knows no evaluation.
pub struct Online<'a> {
    /// Epochs from one judgement to the next; 0 is never.
    pub every: usize,
    /// What judges.
    pub judge: &'a Judge<'a>,
}

/// A judgement of a model as it is. Of several processes each has the same.
pub type Judge<'a> = dyn Fn(&Model) -> anyhow::Result<Worth> + 'a;

/// What an encoder is worth.
#[derive(Debug, Default)]
pub struct Worth {
    /// What was measured.
    pub values: MetricValues,
    /// The same, for the end of a line.
    pub line: String,
    /// What checkpoints are compared by, the more the better.
    pub score: Option<f64>,
}

impl Callback for Online<'_> {
    fn epoch_end(&mut self, trainer: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        if self.every > 0 && measured.at.epoch.is_multiple_of(self.every) {
            let worth = (self.judge)(trainer.state.model)?;
            measured.values.extend(worth.values);
            measured.line += &worth.line;
            trainer.state.standing.score = worth.score;
        }
        Ok(())
    }
}
