//! Arguments and data of a verb that uses a run's model, such as `features` and `figures`.

use super::refuse_both;
use crate::config::Experiment;
use crate::data::trained_on;
use crate::run::{CheckpointChoice, RunDir};
use crate::{DeviceChoice, Together};
use clap::Args;
use fmicl_core::tch::Device;
use fmicl_core::{Result, Samples};
use std::path::Path;
use std::sync::Arc;

/// Checkpoint, experiment and device of a run's model, to be flattened into the arguments of a verb.
#[derive(Debug, Clone, Args)]
pub struct ModelArgs {
    /// Which of the run's checkpoints: last, best (in its online evaluation), step-N, or a path
    #[arg(long, value_name = "CHECKPOINT", default_value = "last")]
    pub checkpoint: CheckpointChoice,
    /// Change a key of the run's experiment that may change, such as dataset.root=DIR; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// auto, cpu or cuda:N, instead of the experiment's
    #[arg(long)]
    pub device: Option<DeviceChoice>,
}

impl ModelArgs {
    /// Opens a run for `verb`, a single process. Returns it with its experiment, changed as the arguments say, and the device.
    ///
    /// # Errors
    /// A device that is given twice or does not exist, a folder that is no run, a change that is not allowed, or several
    /// processes.
    pub fn open(&self, run: &Path, verb: &str) -> Result<(RunDir, Experiment, Device)> {
        refuse_both(&self.sets, "device", self.device.map(|device| device.to_string()))?;
        let run = RunDir::open(run)?;
        let experiment = run.experiment_with(&self.sets)?;
        let device = Together::to_use(Some(&experiment), self.device)?.alone(verb)?;
        Ok((run, experiment, device))
    }
}

/// Opens the split for pre-training, and warns if it is not what the run was trained on. Also returns whether the dataset
/// has labels ([`trained_on`]).
///
/// # Errors
/// A split that cannot be opened, at its line of the experiment.
pub fn samples_of(run: &RunDir, experiment: &Experiment) -> Result<(Arc<dyn Samples>, bool)> {
    let (pretrain, labelled) = trained_on(&experiment.dataset).map_err(|error| experiment.locate(error))?;
    if let Some(differs) = run.differs(&pretrain.portions()) {
        tracing::warn!("{differs}: not what the run was trained on");
    }
    Ok((pretrain, labelled))
}
