//! Decoupled Hyperspherical Energy Loss: `-c_pos / tau + log sum_{j != i} e^{<x_i, x_j> / tau}
//! [+ log sum_{j != i} e^{<y_i, y_j> / tau}]`, averaged over the pairs: a view repels itself, never the other one.
//!
//! With keys an anchor repels the other pairs' keys, with a bank the whole bank: there is no gradient to the other
//! side, so there is one energy.
//!
//! Source: Koromilas et al., "Bridging Mini-Batch and Asymptotic Analysis in Contrastive Learning: From InfoNCE to
//! Kernel-Based Losses", ICML 2024, arXiv 2405.18045, and its code (`DHEL`; `both_views` is its `include_augs`).

use crate::temperature::check_temperature;
use fmicl_core::estimator::with_log_sums;
use fmicl_core::{Documented, InBatch, Loss, Objective, Pairing, register};
use serde::{Deserialize, Serialize};

/// DHEL.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dhel {
    /// The temperature, from 1e-6 to 1e6.
    pub temperature: f64,
    /// On a batch of two views, adds the energy of the second view.
    pub both_views: bool,
}

impl Default for Dhel {
    fn default() -> Self {
        Dhel {
            temperature: 0.3,
            both_views: true,
        }
    }
}

register!(
    Objective,
    "dhel",
    Dhel,
    "decoupled hyperspherical energy: each view repels itself"
);

impl Objective for Dhel {
    fn validate(&self) -> fmicl_core::Result<()> {
        check_temperature(self.temperature)
    }

    fn loss(&self, pairing: &Pairing) -> Loss {
        let (tau, kind) = (self.temperature, pairing.anchors.kind());
        let energy = |pairs| with_log_sums(pairs, tau.recip(), |log_sums| log_sums.mean(kind));
        let anchors = energy(pairing.negative_pairs(InBatch::Within));
        let penalty = match pairing.pairs_within_positives() {
            Some(pairs) if self.both_views => anchors + energy(pairs),
            _ => anchors,
        };
        let reward = (pairing.positive_cosines() / tau).mean(kind);
        let terms = vec![("reward", reward.detach()), ("penalty", penalty.detach())];
        Loss {
            value: penalty - reward,
            terms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Dhel;

    #[test]
    fn obeys_the_objective_laws() {
        for both_views in [true, false] {
            fmicl_core::testing::check_objective(&Dhel {
                both_views,
                ..Default::default()
            });
        }
    }
}
