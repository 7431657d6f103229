//! A run that is used: its experiment, with what may change after training, and its model.

use super::RunDir;
use super::place::INIT;
use crate::config::{self, Base, Change, Experiment};
use crate::run::checkpoint::Wanted;
use crate::run::checkpoints::weights_of;
use crate::run::{CheckpointChoice, Model, kept};
use fmicl_core::tch::Device;
use fmicl_core::{Error, Result};
use std::path::PathBuf;

/// What may change, with all keys below, where a run is used.
const MAY_CHANGE: [&str; 5] = ["dataset", "eval", "evaluations", "device", "train.on_error"];

/// Whether a key is one of those listed, or below one.
pub(crate) fn is_listed(key: &str, listed: &[&str]) -> bool {
    listed.iter().any(|above| {
        key.strip_prefix(above)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// A run as it was left.
#[derive(Debug)]
pub struct Restored {
    /// What was run.
    pub experiment: Experiment,
    /// Where the model is.
    pub device: Device,
    /// The file that the weights come from.
    pub checkpoint: PathBuf,
    /// The steps that the run had had there.
    pub step: u64,
    /// The model with those weights.
    pub model: Model,
}

impl RunDir {
    /// The run's experiment, which reads what the run holds, whatever became of the originals.
    ///
    /// # Errors
    /// A config that is not what the run wrote.
    pub fn experiment(&self) -> Result<Experiment> {
        self.experiment_with(&[])
    }

    /// The run's experiment with changes, each a `key=value`, for a command that uses what was trained: data may lie elsewhere
    /// by now, or be judged in another way. The encoder is as it was trained.
    ///
    /// # Errors
    /// As [`experiment`](RunDir::experiment), and a change of what was trained.
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
