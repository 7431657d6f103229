//! The kind of part `optimizer`.

use crate::{Parameters, Result};
use tch::Tensor;

/// Options that build a [`Stepper`]; each optimizer has its own `weight_decay` among them.
pub trait Optimizer: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Makes the state for `parameters`.
    fn build(&self, parameters: &Parameters) -> Box<dyn Stepper>;
}

crate::kind!(Optimizer, "optimizer");

/// An optimizer with its state.
pub trait Stepper {
    /// One step with the gradients in `parameters` at learning rate `lr`. Must not synchronise the device.
    fn step(&mut self, parameters: &mut Parameters, lr: f64);

    /// The state by name, for checkpoints: one flat tensor a moment and group, and counters as scalars.
    /// The tensors share storage with the optimizer: copying into them restores it.
    fn state(&self) -> Vec<(String, Tensor)>;
}
