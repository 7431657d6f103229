//! Training.

use crate::config::Experiment;
use std::path::PathBuf;

/// What the command line decides about a training run, beside the experiment.
#[derive(Debug, Clone, Default)]
pub struct TrainOptions {
    /// The run's directory; by default one is made under `runs/`.
    pub out: Option<PathBuf>,
}

/// Trains an experiment and writes its run directory.
///
/// # Errors
/// Whatever stops the run.
pub fn run(_experiment: Experiment, _options: &TrainOptions) -> anyhow::Result<()> {
    anyhow::bail!("training is not written yet")
}
