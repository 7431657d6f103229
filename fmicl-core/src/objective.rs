//! The kind of part `objective`: from pairings to a loss.

use crate::Pairing;
use tch::Tensor;

/// A loss and what it is made of.
#[derive(Debug)]
pub struct Loss {
    /// A scalar with gradient, to be minimised.
    pub value: Tensor,
    /// Named scalars without gradient, logged per epoch. `f_mi` is the estimate of the mutual information in
    /// nats (of the divergence's own kind); other names are the objective's.
    pub terms: Vec<(&'static str, Tensor)>,
}

/// A contrastive objective.
///
/// [`crate::testing::check_objective`] checks that it is finite, has a gradient, ignores the order of the
/// pairs, and prefers aligned pairs to unrelated ones, under every kind of negatives.
pub trait Objective: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> crate::Result<()> {
        Ok(())
    }

    /// The loss of one pairing of `N >= 2` pairs. Must not synchronise the device.
    fn loss(&self, pairing: &Pairing) -> Loss;
}

crate::kind!(Objective, "objective");
