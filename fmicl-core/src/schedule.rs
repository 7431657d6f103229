//! The kind of part `schedule`: how a number changes over training.

use crate::Result;

/// A factor over the progress of training: of the learning rate behind its warm-up, or of the step that a momentum encoder
/// takes. [`crate::testing::check_schedule`] checks it.
pub trait Schedule: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// The factor, from 0 to 1, at `progress`, which runs from 0 to 1 over training; the same each time.
    fn factor(&self, progress: f64) -> f64;
}

crate::kind!(Schedule, "schedule");
