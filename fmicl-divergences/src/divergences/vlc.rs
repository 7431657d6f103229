//! Vincze-Le Cam, `f(u) = (u - 1)^2 / (u + 1)`.

use super::GAP;
use fmicl_core::{Divergence, register};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Vincze-Le Cam; it has no options. A raw critic is clamped to `t <= 1 - 0.01`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vlc {}

register!(
    Divergence,
    "vlc",
    Vlc,
    "Vincze-Le Cam: bounded critic and bounded penalty; covered by the uniformity theorem"
);

/// `q = 1 / (1 + u)`, in which everything here is a polynomial.
fn q(log_u: &Tensor) -> Tensor {
    (-log_u).sigmoid()
}

impl Divergence for Vlc {
    fn generator(&self, log_u: &Tensor) -> Tensor {
        log_u.expm1().square() * q(log_u)
    }

    fn critic(&self, log_u: &Tensor) -> Tensor {
        1.0 - q(log_u).square() * 4.0
    }

    fn conjugate(&self, t: &Tensor) -> Tensor {
        4.0 - t - (-t + 1.0).sqrt() * 4.0
    }

    fn domain(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, 1.0 - GAP)
    }

    fn range(&self) -> (f64, f64) {
        (-3.0, 1.0)
    }

    fn penalty(&self, log_u: &Tensor) -> Tensor {
        log_u.sigmoid().square() * 4.0 - 1.0
    }

    fn penalty_and_slope(&self, mut log_u: Tensor) -> (Tensor, Tensor) {
        // In p = 1 - q the penalty is 4 p^2 - 1, and the slope 8 p^2 (1 - p).
        let mut p = log_u.sigmoid_();
        let mut square = p.square();
        let slope = p.g_mul_scalar_(-8.0).g_add_scalar_(8.0).g_mul_(&square);
        (square.g_mul_scalar_(4.0).g_sub_scalar_(1.0), slope)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_divergence_laws() {
        fmicl_core::testing::check_divergence(&super::Vlc {});
    }
}
