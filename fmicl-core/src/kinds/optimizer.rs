//! The kind of part `optimizer`.

use crate::{Parameters, Result};
use tch::Tensor;

/// Options that build a [`Stepper`]; each optimizer has its own `weight_decay` among them.
pub trait Optimizer: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Creates the optimizer with its initial state for `parameters`.
    fn build(&self, parameters: &Parameters) -> Box<dyn Stepper>;
}

crate::kind!(Optimizer, "optimizer");

/// An optimizer with its state.
pub trait Stepper {
    /// Takes a step with the gradients in `parameters` at learning rate `lr`, of each group times its
    /// [`rate`](crate::Group::rate). It must not synchronise the device.
    fn step(&mut self, parameters: &mut Parameters, lr: f64);

    /// State by name, for checkpoints: a flat tensor per moment and group, and counters as scalars. The tensors share
    /// storage with the optimizer: copying into them restores it.
    fn state(&self) -> Vec<(String, Tensor)>;
}
