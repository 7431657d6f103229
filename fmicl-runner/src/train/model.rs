//! The learner and the store of its weights.

use super::checkpoint::Checkpoint;
use crate::config::Experiment;
use crate::together;
use crate::weights::{self, About, BACKBONE, Init};
use fmicl_core::tch::{self, Device, Tensor, nn::VarStore};
use fmicl_core::{Learner, Processes, Result};

/// A learner and the store of its weights.
#[derive(Debug)]
pub struct Model {
    /// The weights and buffers, by path.
    pub store: VarStore,
    /// The architecture with its backbone.
    pub learner: Box<dyn Learner>,
    /// What is written beside its weights.
    pub about: String,
    /// What the backbone started with, where that was a file, in a line.
    pub init: Option<String>,
}

impl Model {
    /// The experiment's model before training; the same for the same seed.
    ///
    /// # Errors
    /// Options that do not go together, or an `init` that does not fit.
    pub fn build(experiment: &Experiment, device: Device) -> Result<Self> {
        let init = experiment.read_init().map_err(|error| experiment.locate(error))?;
        Model::start(experiment, device, init.as_ref())
    }

    /// The experiment's model with the weights of a checkpoint.
    ///
    /// # Errors
    /// Options that do not go together, or weights that do not fit.
    pub fn restore(experiment: &Experiment, device: Device, checkpoint: &Checkpoint) -> Result<Self> {
        let model = Model::start(experiment, device, None)?;
        weights::fit(model.store.variables(), &checkpoint.model, &checkpoint.path)?;
        Ok(model)
    }

    fn start(experiment: &Experiment, device: Device, init: Option<&Init>) -> Result<Self> {
        tch::manual_seed(experiment.seed as i64);
        let store = VarStore::new(device);
        let learner = experiment
            .build_learner(&store.root(), init)
            .map_err(|error| experiment.locate(error))?;
        let init = init.map(|init| init.summary(&store));
        Ok(Model {
            store,
            learner,
            about: About::of(experiment.to_table()?, &*experiment.backbone, &*experiment.views)?.to_string(),
            init,
        })
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
