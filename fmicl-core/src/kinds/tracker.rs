//! The kind of part `tracker`: destinations of a run's metrics.

use crate::Result;
use std::path::Path;
use tch::Tensor;

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
    /// [`crate::Error`] if files cannot be written. A server that cannot be reached is no error: what it did not get is
    /// kept, and sent later.
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
    /// The complete config, as `config.toml` in the folder has it.
    pub config: &'a toml::Table,
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

    /// Whether [`image`](Tracking::image) and [`histogram`](Tracking::histogram) do anything. The tensors for them are
    /// computed and copied only if a tracker of the run wants them. By default, true.
    fn wants_tensors(&self) -> bool {
        true
    }

    /// Records an image `[C, H, W]` of bytes on the CPU, `C` 1 or 3, such as views of the first batch. By default it is
    /// ignored. It is not called where [`wants_tensors`](Tracking::wants_tensors) is false.
    ///
    /// # Errors
    /// As [`step`](Tracking::step).
    #[expect(unused_variables, reason = "ignored by default")]
    fn image(&mut self, at: Moment, name: &str, pixels: &Tensor) -> Result<()> {
        Ok(())
    }

    /// Records the distribution of values, of any shape and on any device, such as an epoch's cosines of negative
    /// pairs. By default it is ignored. It is not called where [`wants_tensors`](Tracking::wants_tensors) is false.
    ///
    /// # Errors
    /// As [`step`](Tracking::step).
    #[expect(unused_variables, reason = "ignored by default")]
    fn histogram(&mut self, at: Moment, name: &str, values: &Tensor) -> Result<()> {
        Ok(())
    }

    /// Makes all records durable; the next checkpoint relies on it.
    ///
    /// # Errors
    /// [`crate::Error`] if records are not durable; the checkpoint is then postponed. A tracker that no other file of
    /// the run relies on keeps them and returns no error.
    fn flush(&mut self) -> Result<()>;

    /// This process's work on the run ends; nothing follows but a drop. By default this is ignored. A process that is
    /// killed does not call it.
    ///
    /// # Errors
    /// As [`flush`](Tracking::flush); the run only warns of them.
    #[expect(unused_variables, reason = "ignored by default")]
    fn end(&mut self, ending: Ending) -> Result<()> {
        Ok(())
    }
}

/// How the work of a process on a run ends.
#[derive(Debug, Clone, Copy)]
pub enum Ending<'a> {
    /// All epochs are over; the metrics of the trained encoder, if it was evaluated. The run can be resumed for more
    /// epochs.
    Finished(&'a MetricValues),
    /// Stopped early, as asked; it goes on when it is resumed.
    Stopped,
    /// Ended by an error; it may go on when it is resumed.
    Failed,
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
