//! Loading a trained run: its experiment, with the keys that may change after training, and its model.

use super::RunDir;
use super::place::INIT;
use crate::config::{self, Base, Change, Experiment};
use crate::run::checkpoint::Wanted;
use crate::run::checkpoints::weights_of;
use crate::run::{CheckpointChoice, Model, kept};
use fmicl_core::tch::Device;
use fmicl_core::{Error, Result};
use std::path::PathBuf;

/// Keys that may change after training, each with all keys below it.
const MAY_CHANGE: [&str; 5] = ["dataset", "eval", "evaluations", "device", "train.on_error"];

/// Returns true if a key is listed or below a listed key.
pub(crate) fn is_listed(key: &str, listed: &[&str]) -> bool {
    listed.iter().any(|above| {
        key.strip_prefix(above)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// Model and experiment of a run, restored from a checkpoint.
#[derive(Debug)]
pub struct Restored {
    /// The run's experiment, with its changes.
    pub experiment: Experiment,
    /// Device of the model.
    pub device: Device,
    /// File of the weights.
    pub checkpoint: PathBuf,
    /// Number of training steps at the checkpoint.
    pub step: u64,
    /// Model with the checkpoint's weights.
    pub model: Model,
}

impl RunDir {
    /// Returns the run's experiment. Files that the run has copies of, such as `init`, are read from the run.
    ///
    /// # Errors
    /// A `config.toml` that is missing or was changed to something invalid.
    pub fn experiment(&self) -> Result<Experiment> {
        self.experiment_with(&[])
    }

    /// Returns the run's experiment with changes, each a `key=value`, for a command that uses the trained model. The data's
    /// location, the evaluations and the device may change; the encoder may not.
    ///
    /// # Errors
    /// As [`experiment`](RunDir::experiment), and a change of another key.
    pub fn experiment_with(&self, changes: &[String]) -> Result<Experiment> {
        if let Some(refused) = changes
            .iter()
            .map(|set| config::key_of(set))
            .find(|key| !is_listed(key, &MAY_CHANGE))
        {
            return Err(Error::config(format!(
                "--set {refused}: the run is trained; where it is used, only {} may change",
                MAY_CHANGE.join(", ")
            )));
        }
        let changes = [kept::sets(&self.path)?, Change::parse_all(changes)?].concat();
        let base = Base::read(&self.config_path())?;
        base.changed(&changes).map_err(|mut problems| problems.swap_remove(0))
    }

    /// The same for an experiment that the run is to go on with.
    ///
    /// # Errors
    /// The disk's.
    pub fn reading_its_files(&self, experiment: &Experiment) -> Result<Experiment> {
        let mut sets = kept::sets(&self.path)?;
        if experiment.init.is_some() {
            sets.push(kept::set("init", &self.path.join(INIT)));
        }
        config::change(experiment, &sets)
    }

    /// The model of the run's [`experiment`](RunDir::experiment) as of a checkpoint, which is named.
    ///
    /// # Errors
    /// A checkpoint that is not there, or does not fit the run's config.
    pub fn restore(&self, experiment: Experiment, device: Device, choice: &CheckpointChoice) -> Result<Restored> {
        let chosen = choice.read(&self.checkpoints(), Wanted::Weights, |report| {
            tracing::warn!("{report}")
        })?;
        let checkpoint = chosen.ok_or_else(|| self.no_checkpoint())?;
        let model = Model::restore(&experiment, device, &checkpoint)?;
        Ok(Restored {
            experiment,
            device,
            checkpoint: weights_of(&checkpoint.path),
            step: checkpoint.standing.step,
            model,
        })
    }
}
