//! Which checkpoint a picture is of.

use fmicl_runner::run::{Restored, RunDir};
use std::fmt;

/// The encoder that a picture is of, in words.
pub struct Of {
    step: u64,
    /// That of the last checkpoint, where it can be told.
    last: Option<u64>,
}

impl Of {
    /// The checkpoint that a run's model is of.
    pub fn new(dir: &RunDir, it: &Restored) -> Self {
        let all = dir.checkpoints().list().unwrap_or_default();
        Of {
            step: it.step,
            last: all.last().map(|(step, _)| *step),
        }
    }

    /// Whether it is the one that the run's results are of.
    pub fn is_last(&self) -> bool {
        self.last == Some(self.step)
    }
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "the encoder after step {}", self.step)?;
        match self.last {
            Some(last) if last == self.step => write!(f, ", the last checkpoint"),
            Some(last) => write!(f, ", not the last checkpoint, step {last}, which the results are of"),
            None => Ok(()),
        }
    }
}
