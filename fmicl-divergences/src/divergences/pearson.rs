//! Pearson chi-squared, `f(u) = (u - 1)^2`.

use fmicl_core::estimator::exp;
use fmicl_core::{Divergence, register};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Pearson chi-squared; it has no options.
///
/// The conjugate is `t^2/4 + t` for every `t`, the conjugate of `(u - 1)^2` on the whole line. Restricted to `u >=
/// 0`, it would be constant, -1, below `t = -2`. The restricted conjugate is never larger, so the bound still holds.
/// With the unrestricted one, the Spectral Contrastive Loss is a special case for negative cosines as well (HaoChen
/// et al., NeurIPS 2021).
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pearson {}

register!(
    Divergence,
    "pearson",
    Pearson,
    "Pearson chi-squared: with the linear similarity, the Spectral Contrastive Loss; covered by the uniformity theorem"
);

impl Divergence for Pearson {
    fn generator(&self, log_u: &Tensor) -> Tensor {
        log_u.expm1().square()
    }

    fn critic(&self, log_u: &Tensor) -> Tensor {
        log_u.expm1() * 2.0
    }

    fn conjugate(&self, t: &Tensor) -> Tensor {
        t.square() / 4.0 + t
    }

    fn range(&self) -> (f64, f64) {
        (-2.0, f64::INFINITY)
    }

    fn penalty(&self, log_u: &Tensor) -> Tensor {
        (log_u * 2.0).expm1()
    }

    fn penalty_and_slope(&self, log_u: Tensor) -> (Tensor, Tensor) {
        let mut square = exp(log_u, 2.0);
        (&square - 1.0, square.g_mul_scalar_(2.0))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_divergence_laws() {
        fmicl_core::testing::check_divergence(&super::Pearson {});
    }
}
