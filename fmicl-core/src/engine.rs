//! The kind of part `engine`: how the processes of one run talk. `single` is built in.

use crate::{Result, register};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// How the processes of a run talk. Training refuses an engine of more than one process for now: batches are not
/// sharded and negatives not gathered yet.
pub trait Engine: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// This process, from 0 to `world_size() - 1`.
    fn rank(&self) -> usize;

    /// The number of processes.
    fn world_size(&self) -> usize;

    /// Replaces `tensor` by its mean over all processes.
    fn all_reduce_mean(&self, tensor: &mut Tensor);
}

crate::kind!(Engine, "engine");

/// One process alone.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Single {}

register!(Engine, "single", Single, "one process alone");

impl Engine for Single {
    fn rank(&self) -> usize {
        0
    }

    fn world_size(&self) -> usize {
        1
    }

    fn all_reduce_mean(&self, _tensor: &mut Tensor) {}
}
