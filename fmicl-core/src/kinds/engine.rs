//! The kind of part `engine`: how the processes of one run find each other. `single` is built in.

use crate::{Processes, Result, register};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use tch::{Device, Tensor};

/// Options that bring the processes of a run together.
pub trait Engine: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Returns true if this process was started by the engine's launcher. The engine is then the default for
    /// experiments without an `engine`.
    fn is_launched(&self) -> bool {
        false
    }

    /// Local index of this process's GPU; `None` if any may be used.
    ///
    /// # Errors
    /// [`crate::Error`] if the launcher's environment variables are missing or invalid.
    fn gpu(&self) -> Result<Option<usize>> {
        Ok(None)
    }

    /// Number of processes of this run on this machine (local world size); 1 without a launcher.
    ///
    /// # Errors
    /// [`crate::Error`] if the launcher's environment variables are missing or invalid.
    fn processes_here(&self) -> Result<usize> {
        Ok(1)
    }

    /// Joins the process group; returns when all processes have joined. Tensors must be on `device`.
    ///
    /// # Errors
    /// [`crate::Error`] if the environment does not describe the group, or a process does not join in time.
    fn join(&self, device: Device) -> Result<Rc<dyn Processes>>;
}

crate::kind!(Engine, "engine");

/// One process alone.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Single {}

register!(Engine, "single", Single, "one process alone");

impl Engine for Single {
    fn join(&self, _device: Device) -> Result<Rc<dyn Processes>> {
        Ok(Rc::new(Single {}))
    }
}

impl Processes for Single {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn all_reduce(&self, _tensor: &mut Tensor) -> Result<()> {
        Ok(())
    }

    fn all_gather(&self, tensor: &Tensor) -> Result<Tensor> {
        Ok(tensor.detach().unsqueeze(0))
    }

    fn broadcast(&self, _tensor: &mut Tensor) -> Result<()> {
        Ok(())
    }

    fn sum(&self, tensor: &Tensor) -> Result<Tensor> {
        Ok(tensor.shallow_clone())
    }
}
