//! Joining the process group of a launcher, to train or to use a trained model.

use crate::DeviceChoice;
use crate::config::{self, Experiment};
use crate::run::provenance;
use fmicl_core::tch::nn::VarStore;
use fmicl_core::tch::{Device, Tensor};
use fmicl_core::{Engine, Error, Part, Processes, Result};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A process group that was joined, and this process's device.
pub struct Together {
    /// Device of this process.
    device: Device,
    processes: Rc<dyn Processes>,
}

impl Together {
    /// Joins the process group of an engine; `device` gets the index of this process's GPU, if there are any.
    ///
    /// # Errors
    /// A device that is not there, or others that do not come.
    pub fn meet(engine: &dyn Engine, device: impl FnOnce(Option<usize>) -> Result<Device>) -> Result<Self> {
        let device = device(engine.gpu().map_err(|error| error.at("engine"))?)?;
        let processes = engine.join(device).map_err(|error| error.at("engine"))?;
        Ok(Together { device, processes })
    }

    /// Joins the process group for a command that uses an encoder, of a run if there is an `experiment`. If the run's engine has
    /// not launched this process, the launcher's engine is taken.
    ///
    /// # Errors
    /// As [`meet`](Together::meet).
    pub fn to_use(experiment: Option<&Experiment>, device: Option<DeviceChoice>) -> Result<Self> {
        let launched = config::launched();
        let engine = engine(experiment, &launched);
        let device = device.or(experiment.map(|experiment| experiment.device));
        Together::meet(&**engine, |gpu| device.unwrap_or_default().resolve_for(gpu))
    }

    /// Returns the result of `work`; an error is sent to the other processes.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn run<T>(self, work: impl FnOnce(Device, &Rc<dyn Processes>) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let outcome = work(self.device, &self.processes);
        if let Err(error) = &outcome {
            self.processes.leave(&error.to_string());
        }
        outcome
    }

    /// Returns the device for a command that runs in a single process.
    ///
    /// # Errors
    /// A process group of several processes.
    pub fn alone(self, command: &str) -> Result<Device> {
        match self.processes.size() {
            1 => Ok(self.device),
            size => Err(Error::config(format!(
                "`{command}` runs in one process, but there are {size}: start one"
            ))),
        }
    }
}

/// The experiment's engine where its launcher has started this process, or else that of the launcher.
fn engine<'a>(experiment: Option<&'a Experiment>, launched: &'a Part<dyn Engine>) -> &'a Part<dyn Engine> {
    let own = experiment.map(|experiment| &experiment.engine);
    own.filter(|engine| engine.is_launched()).unwrap_or(launched)
}

/// Returns the number of processes started on this machine, including this one.
///
/// # Errors
/// A launcher that does not give it.
pub(crate) fn processes_here(experiment: Option<&Experiment>) -> Result<usize> {
    let launched = config::launched();
    let here = engine(experiment, &launched).processes_here();
    here.map_err(|error| error.at("engine"))
}

/// Checks that all processes are of one program and have the same config.
///
/// # Errors
/// The first line that differs.
pub(crate) fn require_alike(processes: &dyn Processes, config: &toml::Table) -> Result<()> {
    if !processes.are_many() {
        return Ok(());
    }
    let program: String = provenance::crates()
        .iter()
        .map(|(name, version)| format!("{name} {version}\n"))
        .collect();
    processes.require_same("the program", &program)?;
    processes.require_same("the config", &config::write(config)?)
}

/// Takes the variables of a kind from the process 0.
///
/// # Errors
/// Those of [`Processes::all_reduce`].
pub(crate) fn share(store: &VarStore, processes: &dyn Processes, of_kind: impl Fn(&Tensor) -> bool) -> Result<()> {
    if !processes.are_many() {
        return Ok(());
    }
    // All processes in the same order.
    let variables: BTreeMap<_, _> = store.variables().into_iter().collect();
    let mut variables = variables.into_values().filter(of_kind);
    variables.try_for_each(|mut var| processes.broadcast(&mut var))
}
