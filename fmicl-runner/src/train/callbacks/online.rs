//! Online evaluation: the encoder is evaluated during training.

use crate::run::Model;
use crate::train::callback::Callback;
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use fmicl_core::MetricValues;

/// Evaluates the encoder every few epochs with a function given by the caller, since training itself knows no
/// evaluation.
pub struct Online<'a> {
    /// Epochs from one evaluation to the next; 0 for none.
    pub every: usize,
    /// Function that evaluates.
    pub judge: &'a Judge<'a>,
}

/// A judgement of a model as it is. Of several processes each has the same.
pub type Judge<'a> = dyn Fn(&Model) -> anyhow::Result<Worth> + 'a;

/// Results of an online evaluation.
#[derive(Debug, Default)]
pub struct Worth {
    /// Metrics.
    pub values: MetricValues,
    /// The same, for the end of a line.
    pub line: String,
    /// Score by which checkpoints are compared, higher is better.
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
