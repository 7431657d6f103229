//! Reverse Kullback-Leibler, `f(u) = -log u`.
//!
//! Source: Lu et al., appendix, table 5. Under the f-Gaussian similarity its penalty is linear in the squared distance,
//! so that any centred configuration minimises the negative term: features collapse (the paper's figure 2).

use super::GAP;
use fmicl_core::{Divergence, register};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Reverse Kullback-Leibler; it has no options. A raw critic is clamped to `t <= -0.01`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReverseKl {}

register!(
    Divergence,
    "reverse-kl",
    ReverseKl,
    "reverse Kullback-Leibler: linear repulsion; not covered by the uniformity theorem"
);

impl Divergence for ReverseKl {
    fn generator(&self, log_u: &Tensor) -> Tensor {
        -log_u
    }

    fn critic(&self, log_u: &Tensor) -> Tensor {
        -(-log_u).exp()
    }

    fn conjugate(&self, t: &Tensor) -> Tensor {
        -(-t).log() - 1.0
    }

    fn domain(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, -GAP)
    }

    fn range(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, 0.0)
    }

    fn penalty(&self, log_u: &Tensor) -> Tensor {
        log_u - 1.0
    }

    fn penalty_and_slope(&self, log_u: Tensor) -> (Tensor, Tensor) {
        let slope = log_u.ones_like();
        (log_u - 1.0, slope)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_divergence_laws() {
        fmicl_core::testing::check_divergence(&super::ReverseKl {});
    }
}
