//! Neyman chi squared, `f(u) = (1 - u)^2 / u`.
//!
//! Source: Lu et al., appendix, table 5. Under the f-Gaussian similarity its penalty is concave in the squared distance:
//! features collapse (the paper's figure 2).

use super::GAP;
use fmicl_core::estimator::exp;
use fmicl_core::{Divergence, register};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Neyman chi squared; it has no options. A raw critic is clamped to `t <= 1 - 0.01`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neyman {}

register!(
    Divergence,
    "neyman",
    Neyman,
    "Neyman chi squared: repulsion grows with the distance; not covered by the uniformity theorem"
);

impl Divergence for Neyman {
    fn generator(&self, log_u: &Tensor) -> Tensor {
        // (1 - u)^2 / u = (e^{l/2} - e^{-l/2})^2.
        (log_u * 0.5).sinh().square() * 4.0
    }

    fn critic(&self, log_u: &Tensor) -> Tensor {
        -(log_u * -2.0).expm1()
    }

    fn conjugate(&self, t: &Tensor) -> Tensor {
        (1.0_f64 - t).sqrt() * -2.0 + 2.0
    }

    fn domain(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, 1.0 - GAP)
    }

    fn range(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, 1.0)
    }

    fn penalty(&self, log_u: &Tensor) -> Tensor {
        (-log_u).expm1() * -2.0
    }

    fn penalty_and_slope(&self, log_u: Tensor) -> (Tensor, Tensor) {
        let mut slope = exp(log_u, -1.0);
        let _ = slope.g_mul_scalar_(2.0);
        (2.0 - &slope, slope)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_divergence_laws() {
        fmicl_core::testing::check_divergence(&super::Neyman {});
    }
}
