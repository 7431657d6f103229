//! Options of a training run from the command line, besides the experiment.

use super::interrupt::Interrupt;
use std::path::PathBuf;

/// Options of the command line for a training run, beside the experiment.
#[derive(Debug, Clone, Default)]
pub struct TrainOptions {
    /// The run's directory; by default a new one under `runs/`, named after the experiment file.
    pub out: Option<PathBuf>,
    /// The experiment file's stem.
    pub name: String,
    /// The run to go on with.
    pub resume: Resume,
    /// Stop after this many steps of the run, with a checkpoint.
    pub stop_after: Option<u64>,
    /// Source of requests to stop.
    pub interrupt: Interrupt,
}

/// Choice of the run to resume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Resume {
    /// A new run.
    #[default]
    Never,
    /// The one in `--out`, where there is one.
    Auto,
    /// The one in this directory.
    Run(PathBuf),
}
