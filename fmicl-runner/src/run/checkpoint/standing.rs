//! Where a run stands, as its checkpoint says.

use crate::config::Train;
use crate::run::provenance::Computing;
use serde::{Deserialize, Serialize};

/// Where a run stands between two steps, and what the tensors do not say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Steps taken since the start of the run.
    pub step: u64,
    /// Epochs that are over; each has its line in `metrics.jsonl`.
    pub epochs: usize,
    /// Batches of the running epoch that are used.
    pub batch: usize,
    /// What the running epoch has measured.
    pub meter: Counts,
    /// Threads of libtorch, on which the last bits depend.
    pub threads: i32,
    /// The device, as libtorch names it.
    pub device: String,
    /// Processes that train together.
    #[serde(default = "one")]
    pub processes: usize,
    /// Seconds since the start, but for those in which nothing ran.
    pub seconds: f64,
    /// Steps that were left out since their loss or gradient was not finite.
    #[serde(default)]
    pub skipped_steps: u64,
    /// What the online evaluation measured at this step, the more the better.
    pub score: Option<f64>,
}

impl Standing {
    /// How it computes, for the run's record; `train` is the section that it follows, where it trains.
    pub fn computing<'a>(&'a self, train: Option<&'a Train>) -> Computing<'a> {
        Computing {
            step: self.step,
            device: &self.device,
            threads: self.threads,
            processes: self.processes,
            train,
        }
    }
}

/// What a checkpoint that does not say it was written by.
fn one() -> usize {
    1
}

/// What an epoch has measured, but for the sums, which are tensors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Batches in the sums.
    pub batches: usize,
    /// Seconds of the epoch.
    pub seconds: f64,
    /// Those of them that were spent waiting for data.
    pub waited: f64,
    /// Samples that could not be read.
    #[serde(default)]
    pub skipped_samples: usize,
}
