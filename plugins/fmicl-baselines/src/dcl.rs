//! Decoupled Contrastive Learning: InfoNCE without the positive in its denominator,
//! `-w_i c_pos / tau + log sum_negatives e^{c / tau}`, averaged over the anchors.
//!
//! Source: Yeh et al., "Decoupled Contrastive Learning", ECCV 2022, arXiv 2110.06848, equation 6; with `sigma` it is
//! their DCLW, equation 7: `w_i = 2 - N softmax_i(c_pos / sigma)`, so that hard positives count more.

use crate::temperature::check_temperature;
use fmicl_core::estimator::with_log_sums;
use fmicl_core::{Documented, InBatch, Loss, Objective, Pairing, register, require};
use serde::{Deserialize, Serialize};

/// DCL, or DCLW with `sigma`.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dcl {
    /// The temperature, from 1e-6 to 1e6.
    pub temperature: f64,
    /// Temperature of DCLW's weights of the positives, from 1e-3 to 1e6: the smaller, the less an easy positive counts.
    /// Absent by default: all weights are 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
}

impl Default for Dcl {
    fn default() -> Self {
        Dcl {
            temperature: 0.1,
            sigma: None,
        }
    }
}

register!(
    Objective,
    "dcl",
    Dcl,
    "decoupled contrastive learning: InfoNCE without the positive in the denominator"
);

impl Objective for Dcl {
    fn validate(&self) -> fmicl_core::Result<()> {
        check_temperature(self.temperature)?;
        let sigma = self.sigma.unwrap_or(1.0);
        require((1e-3..=1e6).contains(&sigma), "sigma", || {
            format!("{sigma} is not from 1e-3 to 1e6")
        })
    }

    fn loss(&self, pairing: &Pairing) -> Loss {
        let negatives = pairing.negative_pairs(InBatch::Both);
        let cosines = pairing.positive_cosines();
        let kind = cosines.kind();
        let positive = &cosines / self.temperature;
        // Both views of a pair have the pair's weight, so the mean over the pairs is that over the anchors.
        let reward = match self.sigma {
            Some(sigma) => {
                let weights = (&cosines / sigma).softmax(0, kind) * -(cosines.size()[0] as f64) + 2.0;
                positive * weights
            }
            None => positive,
        }
        .mean(kind);
        let penalty = with_log_sums(negatives, self.temperature.recip(), |log_sums| log_sums.mean(kind));
        let terms = vec![("reward", reward.detach()), ("penalty", penalty.detach())];
        Loss {
            value: penalty - reward,
            terms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Dcl;

    #[test]
    fn obeys_the_objective_laws() {
        for sigma in [None, Some(0.5)] {
            fmicl_core::testing::check_objective(&Dcl {
                sigma,
                ..Default::default()
            });
        }
    }
}
