//! The kind of part `schedule`: a factor over the progress of training.

use crate::Result;

/// Options of a schedule: a factor over the progress of training, of the learning rate after its warm-up, or of `1 -
/// momentum` of a momentum encoder. [`crate::testing::check_schedule`] checks it.
pub trait Schedule: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Factor, from 0 to 1, at `progress`, which runs from 0 to 1 over training; a pure function.
    fn factor(&self, progress: f64) -> f64;
}

crate::kind!(Schedule, "schedule");
