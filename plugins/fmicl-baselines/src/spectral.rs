//! The Spectral Contrastive Loss, `-2 mean c_pos + mean_negatives c^2`.
//!
//! On a batch the negatives are the pairs `(x_i, y_j)`, `i != j`, of the two views.
//!
//! Source: HaoChen et al., "Provable Guarantees for Self-Supervised Deep Learning with Spectral Contrastive Loss",
//! NeurIPS 2021, arXiv 2106.04156, equation (6), for unit-length features.

use fmicl_core::estimator::{OfCosine, mean};
use fmicl_core::{InBatch, Loss, Objective, Pairing, register};
use serde::{Deserialize, Serialize};

/// The Spectral Contrastive Loss; it has no options.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spectral {}

register!(Objective, "spectral", Spectral, "the Spectral Contrastive Loss");

impl Objective for Spectral {
    fn loss(&self, pairing: &Pairing) -> Loss {
        let cosines = pairing.positive_cosines();
        let reward = cosines.mean(cosines.kind());
        let square = OfCosine::new(1.0, 0.0, |c| (c.square(), c * 2.0));
        let penalty = mean(&square, pairing.negative_pairs(InBatch::Cross));
        let terms = vec![("reward", reward.detach()), ("penalty", penalty.detach())];
        Loss {
            value: penalty - reward * 2.0,
            terms,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_objective_laws() {
        fmicl_core::testing::check_objective(&super::Spectral {});
    }
}
