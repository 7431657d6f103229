//! `train.on_nan = "skip"`: a step whose loss or gradient is not finite leaves the model as it was.

use super::finite::Diverged;
use crate::config::{OnNan, Train};
use fmicl_core::tch::{Tensor, nn::VarStore, no_grad};

/// What a step changes before it is known whether it is finite, as it was before the step: running statistics and the
/// like. The parameters change later.
pub struct Guard {
    /// The variables without a gradient, and copies of them.
    buffers: Vec<(Tensor, Tensor)>,
    most: u64,
}

impl Guard {
    /// None where a step that is not finite ends the run.
    pub fn of(train: &Train, store: &VarStore) -> Option<Self> {
        let variables = store.variables().into_values();
        let buffers = variables.filter(|var| !var.requires_grad());
        (train.on_nan == OnNan::Skip).then(|| Guard {
            buffers: buffers.map(|var| (var.shallow_clone(), var.copy())).collect(),
            most: train.max_skipped_steps,
        })
    }

    /// Copies the buffers: a step begins.
    pub fn remember(&mut self) {
        no_grad(|| self.buffers.iter_mut().for_each(|(var, copy)| copy.copy_(var)));
    }

    /// Puts the buffers back, and says so.
    ///
    /// # Errors
    /// The step, where with it more have been skipped than may be.
    pub fn skip(&mut self, diverged: Diverged, skipped: u64) -> anyhow::Result<()> {
        no_grad(|| self.buffers.iter_mut().for_each(|(var, copy)| var.copy_(copy)));
        tracing::warn!("skipped, the {skipped}. of at most {}: {diverged}", self.most);
        match skipped > self.most {
            true => Err(diverged.into()),
            false => Ok(()),
        }
    }
}
