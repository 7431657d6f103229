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

    /// Whether this process was started by the launcher that the engine is for: then it is the engine of an experiment
    /// that names none.
    fn is_launched(&self) -> bool {
        false
    }

    /// Which GPU of its machine is this process's, counted from 0, where there are any; none where it may choose.
    ///
    /// # Errors
    /// An environment that does not say it.
    fn gpu(&self) -> Result<Option<usize>> {
        Ok(None)
    }

    /// How many processes of the launcher share this process's machine, itself among them; 1 where there is no launcher.
    ///
    /// # Errors
    /// An environment that does not say it.
    fn processes_here(&self) -> Result<usize> {
        Ok(1)
    }

    /// Meets the other processes; returns when all are there. Tensors are to be on `device`.
    ///
    /// # Errors
    /// An environment that does not say who the others are, or one that does not come in time.
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
