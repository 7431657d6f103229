//! The learner and the store of its weights.

use super::checkpoint::{Checkpoint, Snapshot, Standing, copy};
use super::learned::LearnedScalars;
use crate::config::Experiment;
use crate::together;
use crate::weights::{self, About, BACKBONE, Init};
use fmicl_core::panics::refused;
use fmicl_core::tch::nn::{self, VarStore};
use fmicl_core::tch::{self, Device, Tensor};
use fmicl_core::{Learner, Processes, Result};
use std::cell::Cell;
use std::path::PathBuf;

/// A learner and the store of its weights.
#[derive(Debug)]
pub struct Model {
    /// The weights and buffers, by path.
    pub store: VarStore,
    /// The architecture with its backbone.
    pub learner: Box<dyn Learner>,
    /// The scalars that the objective learns.
    pub learned: LearnedScalars,
    /// Metadata of its weights.
    pub about: String,
    /// One line on the file that the backbone started with, if any.
    pub init: Option<String>,
}

impl Model {
    /// The experiment's model before training; the same for the same seed.
    ///
    /// # Errors
    /// Options that do not go together, or an `init` that does not fit.
    pub fn build(experiment: &Experiment, device: Device) -> Result<Self> {
        let init = read_init(experiment).map_err(|error| experiment.locate(error))?;
        Model::start(experiment, device, init.as_ref())
    }

    /// The experiment's model with the weights of a checkpoint.
    ///
    /// # Errors
    /// Options that do not go together, or weights that do not fit.
    pub fn restore(experiment: &Experiment, device: Device, checkpoint: &Checkpoint) -> Result<Self> {
        let model = Model::start(experiment, device, None)?;
        weights::copy_into(model.store.variables(), &checkpoint.model, &checkpoint.path)?;
        Ok(model)
    }

    fn start(experiment: &Experiment, device: Device, init: Option<&Init>) -> Result<Self> {
        tch::manual_seed(experiment.seed as i64);
        let store = VarStore::new(device);
        let learner = build_learner(experiment, &store.root(), init).map_err(|error| experiment.locate(error))?;
        let learned = LearnedScalars::new(&*experiment.objective, &store.root());
        let init = init.map(|init| init.summary(&store));
        Ok(Model {
            store,
            learner,
            learned,
            about: About::of(experiment.to_table()?, &*experiment.backbone, &*experiment.views)?.to_string(),
            init,
        })
    }

    /// Copies of all its variables, as before the first step.
    pub fn snapshot(&self) -> Snapshot {
        let variables = self.store.variables().into_iter();
        Snapshot {
            standing: Standing::default(),
            model: variables.map(|(name, tensor)| (name, copy(&tensor))).collect(),
            about: self.about.clone(),
            training: Vec::new(),
        }
    }

    /// The backbone's weights and buffers, named as in torchvision or timm.
    pub fn backbone(&self) -> Vec<(String, Tensor)> {
        let variables = self.store.variables().into_iter();
        let stripped = variables.filter_map(|(name, var)| Some((name.strip_prefix(BACKBONE)?.to_string(), var)));
        stripped.collect()
    }

    /// The number of trainable parameters.
    pub fn parameters(&self) -> usize {
        let variables = self.store.variables();
        let trainable = variables.values().filter(|var| var.requires_grad());
        trainable.map(|var| var.numel()).sum()
    }

    /// Takes the variables of a kind from the process 0.
    ///
    /// # Errors
    /// Those of [`Processes::all_reduce`].
    pub fn share(&self, processes: &dyn Processes, of_kind: impl Fn(&Tensor) -> bool) -> Result<()> {
        together::share(&self.store, processes, of_kind)
    }

    /// The size of a checkpoint, but for its header.
    pub fn bytes(&self) -> u64 {
        self.store
            .variables()
            .values()
            .map(|var| var.numel() as u64 * var.kind().elt_size_in_bytes() as u64)
            .sum()
    }
}

/// The weights that the backbone starts with.
///
/// # Errors
/// A config error at `init` where the file cannot be read.
pub(crate) fn read_init(experiment: &Experiment) -> Result<Option<Init>> {
    let read = |path: &PathBuf| Init::read(path).map_err(|error| error.at("init"));
    experiment.init.as_ref().map(read).transpose()
}

/// Builds the backbone, for the size of the views and with the weights of `init` if there are any, and the
/// architecture under `root`.
///
/// # Errors
/// A config error at its key where their options do not go together, libtorch refuses their sizes, or `init` does
/// not fit; [`Experiment::locate`] adds where the key was written.
pub(crate) fn build_learner(experiment: &Experiment, root: &nn::Path, init: Option<&Init>) -> Result<Box<dyn Learner>> {
    let input = experiment.views.input().map_err(|error| error.at("views"))?;
    let build = |path: &nn::Path| {
        refused("cannot be built", || experiment.backbone.build_for(path, input)).map_err(|error| error.at("backbone"))
    };
    // An error of the backbone passes through the architecture.
    let backbone_failed = Cell::new(false);
    let backbone = |path: &nn::Path| {
        let encoder = match init {
            Some(init) => init
                .require_for(&experiment.backbone)
                .and_then(|()| init.build(path, build)),
            None => build(path),
        };
        backbone_failed.set(encoder.is_err());
        encoder
    };
    let learner = refused("cannot be built", || experiment.architecture.build(root, &backbone));
    learner.map_err(|error| match backbone_failed.get() {
        true => error,
        false => error.at("architecture"),
    })
}
