//! Decoupled Contrastive Learning: InfoNCE without the positive in its denominator,
//! `-w_i c_pos / tau + log sum_negatives e^{c / tau}`, averaged over the anchors.
//!
//! Source: Yeh et al., "Decoupled Contrastive Learning", ECCV 2022, arXiv 2110.06848, equation 6; with `sigma` it is
//! their DCLW, equation 7: `w_i = 2 - N softmax_i(c_pos / sigma)`, so that hard positives count more.

use crate::pairs::{Anchors, check_temperature, positive_cosines};
use fmicl_core::{Loss, Objective, Pairing, register, require};
use serde::{Deserialize, Serialize};

/// DCL, or DCLW where `sigma` is given.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dcl {
    /// The temperature, from 1e-6 to 1e6.
    pub temperature: f64,
    /// DCLW's weights of the positives: the smaller, the less an easy positive counts; from 1e-3 to 1e6. Absent: all
    /// weights are 1.
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
        let anchors = Anchors::new(pairing, self.temperature);
        let kind = anchors.positive.kind();
        let reward = match self.sigma {
            Some(sigma) => {
                let cosines = positive_cosines(&pairing.anchors, &pairing.positives);
                let n = cosines.size()[0];
                let weights = (cosines / sigma).softmax(0, kind) * -(n as f64) + 2.0;
                // Both views of a pair have the pair's weight.
                anchors.positive * weights.repeat([anchors.negatives.size()[0] / n])
            }
            None => anchors.positive,
        };
        let reward = reward.mean(kind);
        let penalty = anchors.negatives.mean(kind);
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
