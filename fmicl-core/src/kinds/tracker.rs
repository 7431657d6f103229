//! The kind of part `tracker`: destinations of a run's metrics.

use crate::Result;
use std::path::Path;

/// Options that open a tracker, which records the metrics of a run in files or elsewhere. An experiment names any
/// number of them (`trackers = ["jsonl", "csv"]`). [`crate::testing::check_tracker`] checks it.
pub trait Tracker: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Starts or resumes the tracking of a run. On resuming, records of later steps and epochs than the run's are
    /// dropped, since they will come again, and so are truncated records of a killed process.
    ///
    /// # Errors
    /// [`crate::Error`] if files cannot be written, or another destination cannot be reached.
    fn open(&self, run: &TrackedRun) -> Result<Box<dyn Tracking>>;
}

crate::kind!(Tracker, "tracker");

/// A run that is tracked.
#[derive(Debug, Clone, Copy)]
pub struct TrackedRun<'a> {
    /// Run directory.
    pub folder: &'a Path,
    /// Finished epochs.
    pub epochs: usize,
    /// Steps taken.
    pub steps: u64,
}

/// An open tracker of a run.
pub trait Tracking {
    /// Records the metrics of a step; called every `train.log_every` steps.
    ///
    /// # Errors
    /// [`crate::Error`] for faults that must end the run. Temporary faults, such as a full disk, are not errors here:
    /// the values are kept for [`flush`](Tracking::flush).
    fn step(&mut self, at: Moment, values: &MetricValues) -> Result<()>;

    /// Records the metrics of a finished epoch.
    ///
    /// # Errors
    /// As [`step`](Tracking::step).
    fn epoch(&mut self, at: Moment, values: &MetricValues) -> Result<()>;

    /// Makes all records durable; the next checkpoint relies on it.
    ///
    /// # Errors
    /// [`crate::Error`] if records are not durable; the checkpoint is then postponed.
    fn flush(&mut self) -> Result<()>;
}

/// Epoch and step of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Step since the start of the run, counted from 1.
    pub step: u64,
}

/// Value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricValue {
    /// Count.
    Count(u64),
    /// Number, finite or not.
    Number(f64),
    /// Text about the numbers beside it.
    Text(String),
}

/// Metrics by name, in the order of display. `a/b` belongs to the group `a`.
pub type MetricValues = Vec<(String, MetricValue)>;
