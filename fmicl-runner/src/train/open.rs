//! The first phase of a training run: which run it is, and what it is trained on.

use super::options::TrainOptions;
use super::resume::{self, Found};
use crate::config::Experiment;
use crate::data::{self, Splits};
use crate::log;
use crate::run::provenance;
use crate::run::{Model, RunDir};
use crate::together::require_alike;
use fmicl_core::tch::Device;
use fmicl_core::{Portion, Processes, Result, estimator};
use std::path::Path;

/// An experiment with its data, which begins or goes on.
pub struct Opened {
    /// The parts and the numbers. Of a run that goes on, its parts read the run's own files.
    pub experiment: Experiment,
    /// All data, opened and checked.
    pub data: Splits,
    /// Fingerprint of the training data.
    pub portions: Vec<Portion>,
}

impl Opened {
    /// Opens the data of an experiment, and finds the run that goes on, where this process can. From here on signals ask the
    /// run to stop.
    ///
    /// # Errors
    /// A run of another config, checkpoints that are all damaged, data that do not open, or processes that differ.
    pub fn new(
        experiment: Experiment,
        options: &TrainOptions,
        processes: &dyn Processes,
    ) -> anyhow::Result<(Self, Option<Found>)> {
        // Before the processes have met, a signal just ends this one: there is nothing to save, and nobody who looks.
        options.interrupt.catch()?;
        estimator::set_tile(experiment.train.tile);
        require_alike(processes, &RunDir::table_of(&experiment)?)?;
        let found = match processes.rank() {
            0 => {
                provenance::begin_sha256();
                resume::find(&experiment, options)?
            }
            _ => {
                log::leave_telling();
                None
            }
        };
        let (experiment, data) = open_data(experiment, found.as_ref(), processes)?;
        let portions = data.pretrain.portions();
        if processes.are_many() {
            processes.require_same("the dataset", &data::as_text(data.pretrain.len(), &portions))?;
        }
        let opened = Opened {
            experiment,
            data,
            portions,
        };
        Ok((opened, found))
    }

    /// The model, built or restored.
    ///
    /// # Errors
    /// Options that do not go together, or weights that do not fit.
    pub fn model(&self, found: Option<&Found>, device: Device) -> Result<Model> {
        match found.and_then(|found| found.checkpoint.as_ref()) {
            Some(checkpoint) => Model::restore(&self.experiment, device, checkpoint),
            None => Model::build(&self.experiment, device),
        }
    }
}

/// The experiment as it goes on, and its data.
fn open_data(
    experiment: Experiment,
    found: Option<&Found>,
    processes: &dyn Processes,
) -> anyhow::Result<(Experiment, Splits)> {
    let going_on = found.map(|found| found.run.path().to_string_lossy());
    let going_on = processes.text_of_first(&going_on.unwrap_or_default())?;
    // The files that are named may be others by now, or gone: a run goes on with its own.
    let experiment = match RunDir::open(Path::new(&going_on)) {
        Ok(run) if !going_on.is_empty() => run.reading_its_files(&experiment)?,
        // A new run; or one that lies on the disk of the first process alone.
        _ => experiment,
    };
    let open = || match going_on.is_empty() {
        true => Splits::open_to_train(&experiment),
        false => {
            let data = Splits::open(&experiment)?;
            data.require_best(&experiment)?;
            Ok(data)
        }
    };
    let data = open().map_err(|error| experiment.locate(error))?;
    Ok((experiment, data))
}
