//! The kind of part `tracker`: where the values go that a run measures.

use crate::Result;
use std::path::Path;

/// Keeps what a run measures as it trains, in files or elsewhere. An experiment names any number of them
/// (`trackers = ["jsonl", "csv"]`). [`crate::testing::check_tracker`] checks it.
pub trait Tracker: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Begins to track a run, or goes on with it. What is there of later steps and epochs than those at which the run stands
    /// will come again, and is dropped, as is what was cut off when a process was killed.
    ///
    /// # Errors
    /// The disk's, or what else is not there.
    fn open(&self, run: &TrackedRun) -> Result<Box<dyn Tracking>>;
}

crate::kind!(Tracker, "tracker");

/// A run that is tracked.
#[derive(Debug, Clone, Copy)]
pub struct TrackedRun<'a> {
    /// Its directory.
    pub folder: &'a Path,
    /// Epochs that are over.
    pub epochs: usize,
    /// Steps that are taken.
    pub steps: u64,
}

/// A tracker at work on a run.
pub trait Tracking {
    /// Values of a step, every `train.log_every` of them.
    ///
    /// # Errors
    /// What ends the run. What may pass, such as a full disk, is no error here: the values are kept for
    /// [`flush`](Tracking::flush).
    fn step(&mut self, at: Moment, values: &MetricValues) -> Result<()>;

    /// Values of an epoch that is over.
    ///
    /// # Errors
    /// As [`step`](Tracking::step).
    fn epoch(&mut self, at: Moment, values: &MetricValues) -> Result<()>;

    /// Has all of it where it is safe: a checkpoint that is written next counts on it.
    ///
    /// # Errors
    /// What is not safe; the checkpoint is then not written, and tried again later.
    fn flush(&mut self) -> Result<()>;
}

/// When values were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The step since the start of the run, counted from 1.
    pub step: u64,
}

/// A value that was measured.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricValue {
    /// A number of things.
    Count(u64),
    /// Any number, one that is not finite among them.
    Number(f64),
    /// How the numbers beside it were obtained.
    Text(String),
}

/// Values by their names, in the order in which they are shown. `a/b` belongs to the group `a`.
pub type MetricValues = Vec<(String, MetricValue)>;
