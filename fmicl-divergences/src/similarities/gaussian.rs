//! The paper's f-Gaussian similarity: `u = mu exp(-|x - y|^2 / (2 sigma^2))`, so that
//! `log u = log mu + (c - 1) / sigma^2`.
//!
//! Source: Lu et al., section 4; `sigma^2` is what others call the temperature.

use fmicl_core::{Critic, Similarity, register, require};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// The f-Gaussian similarity, a log density ratio.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gaussian {
    /// The kernel's width, above 0; `sigma^2` plays the part of a temperature.
    pub sigma: f64,
    /// The ratio of a pair at distance 0, above 0.
    pub mu: f64,
}

impl Default for Gaussian {
    fn default() -> Self {
        Gaussian { sigma: 0.5, mu: 1.0 }
    }
}

register!(
    Similarity,
    "gaussian",
    Gaussian,
    "the paper's f-Gaussian: log ratio log mu + (c - 1) / sigma^2"
);

impl Similarity for Gaussian {
    fn validate(&self) -> fmicl_core::Result<()> {
        require(self.sigma > 0.0 && self.sigma.is_finite(), "sigma", || {
            format!("{} is not above 0", self.sigma)
        })?;
        require(self.mu > 0.0 && self.mu.is_finite(), "mu", || {
            format!("{} is not above 0", self.mu)
        })
    }

    fn critic(&self) -> Critic {
        Critic::Ratio
    }

    fn value(&self, cosine: &Tensor) -> Tensor {
        let scale = self.sigma.powi(-2);
        cosine * scale + (self.mu.ln() - scale)
    }

    fn value_and_slope(&self, cosine: &Tensor) -> (Tensor, Tensor) {
        (self.value(cosine), super::constant(cosine, self.sigma.powi(-2)))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_similarity_laws() {
        fmicl_core::testing::check_similarity(&super::Gaussian { sigma: 0.5, mu: 3.0 });
    }
}
