//! The learner and the store of its weights.

use super::weights;
use crate::config::Experiment;
use fmicl_core::tch::{self, Device, nn::VarStore};
use fmicl_core::{Learner, Result};
use std::path::Path;

/// A learner and the store of its weights.
#[derive(Debug)]
pub struct Model {
    /// The weights and buffers, by path.
    pub store: VarStore,
    /// The architecture with its backbone.
    pub learner: Box<dyn Learner>,
}

impl Model {
    /// The experiment's model before training; the same for the same seed.
    ///
    /// # Errors
    /// Options that do not go together.
    pub fn build(experiment: &Experiment, device: Device) -> Result<Self> {
        tch::manual_seed(experiment.seed as i64);
        let store = VarStore::new(device);
        let learner = experiment
            .build_learner(&store.root())
            .map_err(|error| experiment.locate(error))?;
        Ok(Model { store, learner })
    }

    /// The number of trainable parameters.
    pub fn parameters(&self) -> usize {
        let variables = self.store.variables();
        let trainable = variables.values().filter(|var| var.requires_grad());
        trainable.map(|var| var.numel()).sum()
    }

    /// The size of a checkpoint, but for its header.
    pub fn bytes(&self) -> u64 {
        self.store
            .variables()
            .values()
            .map(|var| var.numel() as u64 * var.kind().elt_size_in_bytes() as u64)
            .sum()
    }

    /// Writes all weights and buffers as safetensors.
    ///
    /// # Errors
    /// The disk's.
    pub fn save(&self, path: &Path) -> Result<()> {
        weights::save(&self.store, path)
    }

    /// Reads what [`Model::save`] wrote.
    ///
    /// # Errors
    /// A file that is damaged or does not fit.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        weights::load(&self.store, path)
    }
}
