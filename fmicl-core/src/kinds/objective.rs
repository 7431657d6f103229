//! The kind of part `objective`: from pairings to a loss.

use crate::{Learned, Pairing};
use tch::Tensor;

/// Loss of a batch, and its terms.
#[derive(Debug)]
pub struct Loss {
    /// A scalar with gradient, to be minimised.
    pub value: Tensor,
    /// Named scalars without gradient, logged per epoch. `f_mi` is the estimate of the f-mutual information in nats;
    /// other names are the objective's own.
    pub terms: Vec<(&'static str, Tensor)>,
}

/// Value of an option of an objective that the config does not give, chosen for an architecture.
#[derive(Debug)]
pub struct Chosen {
    /// Name of the option, dotted for one of a part of the objective.
    pub option: String,
    /// Its value.
    pub value: toml::Value,
    /// Reason, a clause.
    pub why: &'static str,
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

    /// Values of options that are absent, chosen for an architecture
    /// ([`Architecture::bears_repulsion`](crate::Architecture::bears_repulsion)). An experiment has them as if they were given.
    fn chosen(&self, _bears_repulsion: bool) -> Vec<Chosen> {
        Vec::new()
    }

    /// Reasons to doubt that it trains under an architecture, one line each.
    fn doubts(&self, _bears_repulsion: bool) -> Vec<String> {
        Vec::new()
    }

    /// Computes the loss of a pairing of `N >= 2` pairs. It must not synchronise the device. The cosines of the positive pairs
    /// are [`Pairing::positive_cosines`]; sums over the negative ones are [`mean`](crate::estimator::mean) and
    /// [`with_log_sums`](crate::estimator::with_log_sums) of [`Pairing::negative_pairs`], whatever the source of negatives.
    fn loss(&self, pairing: &Pairing) -> Loss;

    /// Scalars that the objective learns; their initial values are those that [`loss`](Objective::loss) uses. None by default.
    fn learned(&self) -> Vec<Learned> {
        Vec::new()
    }

    /// The loss at values of the [`learned`](Objective::learned) scalars, each of shape `[]`, in their order, with gradient
    /// to them. It should not synchronise the device, either.
    fn loss_at(&self, pairing: &Pairing, _learned: &[Tensor]) -> Loss {
        self.loss(pairing)
    }
}

crate::kind!(Objective, "objective");
