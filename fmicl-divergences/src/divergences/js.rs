//! Jensen-Shannon (twice), `f(u) = u log u - (u + 1) log((u + 1) / 2)`.

use super::GAP;
use fmicl_core::estimator::exp;
use fmicl_core::{Divergence, register};
use serde::{Deserialize, Serialize};
use std::f64::consts::LN_2;
use tch::Tensor;

/// Jensen-Shannon; it has no options. A raw critic is clamped to `t <= log 2 - 0.01`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Js {}

register!(
    Divergence,
    "js",
    Js,
    "Jensen-Shannon: logistic loss on the log ratio, bounded slope; covered by the uniformity theorem"
);

/// `log(1 + e^x)`; libtorch's own `softplus` turns linear above 20.
fn softplus(x: &Tensor) -> Tensor {
    x - x.log_sigmoid()
}

impl Divergence for Js {
    fn generator(&self, log_u: &Tensor) -> Tensor {
        let u = log_u.exp();
        &u * log_u - (u + 1.0) * (softplus(log_u) - LN_2)
    }

    fn critic(&self, log_u: &Tensor) -> Tensor {
        log_u.log_sigmoid() + LN_2
    }

    fn conjugate(&self, t: &Tensor) -> Tensor {
        -(-t.exp() + 2.0).log()
    }

    fn domain(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, LN_2 - GAP)
    }

    fn range(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, LN_2)
    }

    fn penalty(&self, log_u: &Tensor) -> Tensor {
        softplus(log_u).g_sub_scalar_(LN_2)
    }

    fn penalty_and_slope(&self, mut log_u: Tensor) -> (Tensor, Tensor) {
        // softplus(l) = max(l, 0) + log(1 + e^{-|l|}); log_sigmoid, which is the same, takes twice as long.
        let mut penalty = exp(log_u.abs(), -1.0).log1p_().g_add_(&log_u.relu());
        (penalty.g_sub_scalar_(LN_2), log_u.sigmoid_())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_divergence_laws() {
        fmicl_core::testing::check_divergence(&super::Js {});
    }
}
