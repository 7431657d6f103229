//! Kullback-Leibler, `f(u) = u log u`.

use fmicl_core::estimator::exp;
use fmicl_core::{Divergence, register};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Kullback-Leibler; it has no options.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kl {}

register!(
    Divergence,
    "kl",
    Kl,
    "Kullback-Leibler: the mutual information that InfoNCE bounds; covered by the uniformity theorem"
);

impl Divergence for Kl {
    fn generator(&self, log_u: &Tensor) -> Tensor {
        log_u.exp() * log_u
    }

    fn critic(&self, log_u: &Tensor) -> Tensor {
        log_u + 1.0
    }

    fn conjugate(&self, t: &Tensor) -> Tensor {
        (t - 1.0).exp()
    }

    fn has_exponential_conjugate(&self) -> bool {
        true
    }

    fn penalty(&self, log_u: &Tensor) -> Tensor {
        log_u.exp()
    }

    fn penalty_and_slope(&self, log_u: Tensor) -> (Tensor, Tensor) {
        let u = exp(log_u, 1.0);
        (u.shallow_clone(), u)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_divergence_laws() {
        fmicl_core::testing::check_divergence(&super::Kl {});
    }
}
