//! Squared Hellinger, `f(u) = (sqrt(u) - 1)^2`.

use super::GAP;
use fmicl_core::estimator::exp;
use fmicl_core::{Divergence, register};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Squared Hellinger; it has no options. A raw critic is clamped to `t <= 1 - 0.01`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hellinger {}

register!(
    Divergence,
    "hellinger",
    Hellinger,
    "squared Hellinger: bounded critic, gentle repulsion; covered by the uniformity theorem"
);

impl Divergence for Hellinger {
    fn generator(&self, log_u: &Tensor) -> Tensor {
        (log_u * 0.5).expm1().square()
    }

    fn critic(&self, log_u: &Tensor) -> Tensor {
        -(log_u * -0.5).expm1()
    }

    fn conjugate(&self, t: &Tensor) -> Tensor {
        t / (1.0 - t)
    }

    fn domain(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, 1.0 - GAP)
    }

    fn range(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, 1.0)
    }

    fn penalty(&self, log_u: &Tensor) -> Tensor {
        (log_u * 0.5).expm1()
    }

    fn penalty_and_slope(&self, log_u: Tensor) -> (Tensor, Tensor) {
        let mut root = exp(log_u, 0.5);
        (&root - 1.0, root.g_mul_scalar_(0.5))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_divergence_laws() {
        fmicl_core::testing::check_divergence(&super::Hellinger {});
    }
}
