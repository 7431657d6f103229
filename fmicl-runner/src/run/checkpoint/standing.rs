//! Position of a run between two steps, as its checkpoint stores it.

use crate::config::Train;
use crate::run::provenance::Computing;
use serde::{Deserialize, Serialize};

/// Position of a run between two steps, and its state other than tensors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Steps taken since the start of the run.
    pub step: u64,
    /// Completed epochs; each has a line in `metrics.jsonl`.
    pub epochs: usize,
    /// Batches of the current epoch that were trained on.
    pub batch: usize,
    /// Counters of the current epoch.
    pub meter: Counts,
    /// Number of libtorch's threads, which affects the last bits of results.
    pub threads: i32,
    /// The device, as libtorch names it.
    pub device: String,
    /// World size.
    #[serde(default = "one")]
    pub processes: usize,
    /// Seconds of training, summed over the processes that resumed the run.
    pub seconds: f64,
    /// Skipped steps, whose loss or gradient was not finite.
    #[serde(default)]
    pub skipped_steps: u64,
    /// Score of the online evaluation at this step; higher is better.
    pub score: Option<f64>,
}

impl Standing {
    /// Returns the entry of the run's record for a process that starts here; `train` is its `[train]` section if it trains.
    pub fn computing<'a>(&'a self, train: Option<&'a Train>) -> Computing<'a> {
        Computing {
            step: self.step,
            device: &self.device,
            threads: self.threads,
            processes: self.processes,
            train,
            steps: None,
        }
    }
}

/// World size of a checkpoint that has no entry for it.
fn one() -> usize {
    1
}

/// Counters of an epoch. Its sums are tensors, stored elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Batches in the sums.
    pub batches: usize,
    /// Duration of the epoch so far in seconds.
    pub seconds: f64,
    /// Part of `seconds` that was spent waiting for data.
    pub waited: f64,
    /// Samples that could not be read.
    #[serde(default)]
    pub skipped_samples: usize,
}
