//! The paper's f-Gaussian similarity: `u = mu exp(-|x - y|^2 / (2 sigma^2))`, so that
//! `log u = log mu + (c - 1) / sigma^2`.
//!
//! Source: Lu et al., section 4; `sigma^2` is what others call the temperature.

use fmicl_core::{Critic, Documented, Similarity, register, require};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// The f-Gaussian similarity, a log density ratio.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gaussian {
    /// The kernel's width, from 0.001 to 1000; `sigma^2` acts as a temperature.
    pub sigma: f64,
    /// The ratio of a pair at distance 0, above 0. Absent by default: `e^(1 / sigma^2)`, so that the log ratio is `c /
    /// sigma^2` and orthogonal features (independent ones in high dimension) have ratio 1. With a smaller `mu`
    /// negatives repel too little and features collapse into a few directions.
    pub mu: Option<f64>,
}

impl Default for Gaussian {
    fn default() -> Self {
        Gaussian { sigma: 0.5, mu: None }
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
        // Beyond these the log ratio overflows f32, or is the same for every pair.
        require((1e-3..=1e3).contains(&self.sigma), "sigma", || {
            format!("{} is not from 0.001 to 1000", self.sigma)
        })?;
        let mu = self.mu.unwrap_or(1.0);
        require(mu > 0.0 && mu.is_finite(), "mu", || format!("{mu} is not above 0"))
    }

    fn critic(&self) -> Critic {
        Critic::Ratio
    }

    fn value(&self, cosine: &Tensor) -> Tensor {
        let (scale, offset) = self.line();
        cosine * scale + offset
    }

    fn flatter(&self) -> &'static str {
        match self.mu {
            None => "a larger sigma",
            Some(_) => "a larger sigma, or a mu nearer to 1",
        }
    }

    fn affine(&self) -> Option<(f64, f64)> {
        Some(self.line())
    }
}

impl Gaussian {
    /// `1 / sigma^2` and `log mu - 1 / sigma^2`.
    fn line(&self) -> (f64, f64) {
        let scale = self.sigma.powi(-2);
        (scale, self.mu.map_or(0.0, |mu| mu.ln() - scale))
    }
}

#[cfg(test)]
mod tests {
    use fmicl_core::Similarity;

    #[test]
    fn obeys_the_similarity_laws() {
        fmicl_core::testing::check_similarity(&super::Gaussian {
            sigma: 0.5,
            mu: Some(3.0),
        });
    }

    #[test]
    fn mu_is_the_ratio_at_distance_0_and_by_default_orthogonal_features_have_ratio_1() {
        let log_u = |mu, cosine: f64| {
            let part = super::Gaussian { sigma: 0.5, mu };
            part.value(&super::Tensor::from(cosine)).double_value(&[])
        };
        assert!((log_u(Some(3.0), 1.0) - 3f64.ln()).abs() < 1e-12);
        assert!(log_u(None, 0.0).abs() < 1e-12);
        assert!((log_u(None, 1.0) - log_u(Some(4f64.exp()), 1.0)).abs() < 1e-12);
    }
}
