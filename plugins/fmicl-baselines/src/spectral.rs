//! The Spectral Contrastive Loss, `-2 mu mean c_pos + mu^2 mean_{negatives} c^2`.
//!
//! On a batch the negatives are the pairs `(x_i, y_j)`, `i != j`, of the two views.
//!
//! Source: HaoChen et al., "Provable Guarantees for Self-Supervised Deep Learning with Spectral Contrastive Loss",
//! NeurIPS 2021, arXiv 2106.04156, equation (6), for features of length `sqrt(mu)`, as in its code.

use fmicl_core::estimator::{OfCosine, mean};
use fmicl_core::{Documented, InBatch, Loss, Objective, Pairing, register, require};
use serde::{Deserialize, Serialize};

/// The Spectral Contrastive Loss.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Spectral {
    /// Squared length of the features, above 0; 1 by default. The larger it is, the more negatives weigh.
    pub mu: f64,
}

impl Default for Spectral {
    fn default() -> Self {
        Spectral { mu: 1.0 }
    }
}

register!(Objective, "spectral", Spectral, "the Spectral Contrastive Loss");

impl Objective for Spectral {
    fn validate(&self) -> fmicl_core::Result<()> {
        require(self.mu > 0.0 && self.mu <= 1e6, "mu", || {
            format!("{} is not above 0 and at most 1e6", self.mu)
        })
    }

    fn loss(&self, pairing: &Pairing) -> Loss {
        let cosines = pairing.positive_cosines();
        let reward = cosines.mean(cosines.kind()) * self.mu;
        let scale = self.mu * self.mu;
        let square = OfCosine::new(1.0, 0.0, move |c| (c.square() * scale, c * (2.0 * scale)));
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
        for mu in [1.0, 3.0] {
            fmicl_core::testing::check_objective(&super::Spectral { mu });
        }
    }
}
