//! Reverse Kullback-Leibler, `f(u) = -w log u`, so that `D_f(P || Q) = w KL(Q || P)`.
//!
//! `f'(u) = -w / u`, and `f*(t) = w log w - w - w log(-t)` for `t < 0`. At `t = f'(u)` that is `w (log u - 1)`, whose
//! slope in `log u` is `w` everywhere: all negatives repel alike, however near they are.
//!
//! Source of the conjugate: Nowozin, Cseke and Tomioka, "f-GAN", NeurIPS 2016, arXiv 1606.00709, table 2 (for `w = 1`).

use fmicl_core::tch::Tensor;
use fmicl_core::{Divergence, Documented, Result, register, require};
use serde::{Deserialize, Serialize};

/// How close to 0, where `f*` ends, a raw critic may come.
const GAP: f64 = 0.01;

/// Reverse Kullback-Leibler with a weight. A raw critic is clamped to `t <= -0.01`.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WeightedReverseKl {
    /// `w`, what the divergence is multiplied by; above 0.
    pub weight: f64,
}

impl Default for WeightedReverseKl {
    fn default() -> Self {
        WeightedReverseKl { weight: 1.0 }
    }
}

register!(
    Divergence,
    "weighted-reverse-kl",
    WeightedReverseKl,
    "reverse Kullback-Leibler: all negatives repel alike"
);

impl Divergence for WeightedReverseKl {
    fn validate(&self) -> Result<()> {
        require(self.weight > 0.0 && self.weight.is_finite(), "weight", || {
            format!("{} is not above 0", self.weight)
        })
    }

    fn generator(&self, log_u: &Tensor) -> Tensor {
        log_u * -self.weight
    }

    fn critic(&self, log_u: &Tensor) -> Tensor {
        (-log_u).exp() * -self.weight
    }

    fn conjugate(&self, t: &Tensor) -> Tensor {
        (-t).log() * -self.weight + (self.weight * self.weight.ln() - self.weight)
    }

    fn domain(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, -GAP)
    }

    fn range(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, 0.0)
    }

    fn penalty(&self, log_u: &Tensor) -> Tensor {
        (log_u - 1.0) * self.weight
    }

    fn penalty_and_slope(&self, log_u: Tensor) -> (Tensor, Tensor) {
        (self.penalty(&log_u), log_u.full_like(self.weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_divergence;
    use fmicl_core::{Part, toml};

    #[test]
    fn obeys_the_divergence_laws() {
        for weight in [0.5, 1.0, 3.0] {
            check_divergence(&WeightedReverseKl { weight });
        }
    }

    #[test]
    fn is_found_by_name_and_checks_its_options() {
        let options = |weight: f64| toml::Table::from_iter([("weight".to_string(), weight.into())]);
        let part = Part::<dyn Divergence>::new("weighted-reverse-kl", options(2.0)).unwrap();
        assert_eq!(part.name(), "weighted-reverse-kl");
        let error = Part::<dyn Divergence>::new("weighted-reverse-kl", options(-1.0)).unwrap_err();
        assert_eq!(error.to_string(), "weight: -1 is not above 0");
    }
}
