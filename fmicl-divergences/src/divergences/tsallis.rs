//! Tsallis of order `a`, `f(u) = (u^a - 1) / (a - 1)`; for `a -> 1` it tends to Kullback-Leibler, and of order 2 it is
//! Pearson: `u^2 - 1` and `(u - 1)^2` differ by `2 (u - 1)`, which moves critic and penalty by constants.

use super::GAP;
use fmicl_core::estimator::exp;
use fmicl_core::{Divergence, Documented, register, require};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Tsallis divergence of order `alpha`. For `alpha > 1` its conjugate is constant below `t = 0`; for `alpha < 1` a raw
/// critic is clamped to `t <= -0.01`. The default lies between `kl` (1) and `pearson` (2), so it equals neither.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tsallis {
    /// The order, above 0 and not 1. With 2 it is `pearson`: for a density ratio the losses differ by a constant; for a
    /// raw critic `t` one is the other's at `t + 2`, except where `f*` is constant.
    pub alpha: f64,
}

impl Default for Tsallis {
    fn default() -> Self {
        Tsallis { alpha: 1.5 }
    }
}

register!(
    Divergence,
    "tsallis",
    Tsallis,
    "Tsallis of order alpha: near 1 like kl, of order 2 the same as pearson, above 2 heavier repulsion; covered by the uniformity theorem"
);

impl Divergence for Tsallis {
    fn validate(&self) -> fmicl_core::Result<()> {
        let a = self.alpha;
        require(a > 0.0 && a.is_finite() && a != 1.0, "alpha", || {
            format!("{a} is not above 0 and different from 1 (for 1 use `kl`)")
        })
    }

    fn generator(&self, log_u: &Tensor) -> Tensor {
        (log_u * self.alpha).expm1() / (self.alpha - 1.0)
    }

    fn critic(&self, log_u: &Tensor) -> Tensor {
        (log_u * (self.alpha - 1.0)).exp() * (self.alpha / (self.alpha - 1.0))
    }

    fn conjugate(&self, t: &Tensor) -> Tensor {
        let a = self.alpha;
        (t * ((a - 1.0) / a)).clamp_min(0.0).pow_tensor_scalar(a / (a - 1.0)) + 1.0 / (a - 1.0)
    }

    fn domain(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, if self.alpha > 1.0 { f64::INFINITY } else { -GAP })
    }

    fn range(&self) -> (f64, f64) {
        if self.alpha > 1.0 {
            (0.0, f64::INFINITY)
        } else {
            (f64::NEG_INFINITY, 0.0)
        }
    }

    fn flatter(&self) -> Option<&'static str> {
        (self.alpha > 2.0).then_some("a smaller alpha of the divergence")
    }

    fn penalty(&self, log_u: &Tensor) -> Tensor {
        (log_u * self.alpha).exp() + 1.0 / (self.alpha - 1.0)
    }

    fn penalty_and_slope(&self, log_u: Tensor) -> (Tensor, Tensor) {
        let mut power = exp(log_u, self.alpha);
        (&power + 1.0 / (self.alpha - 1.0), power.g_mul_scalar_(self.alpha))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obeys_the_divergence_laws_at_every_order() {
        for alpha in [0.5, 1.5, 2.0, 3.0] {
            fmicl_core::testing::check_divergence(&Tsallis { alpha });
        }
    }

    #[test]
    fn of_order_2_it_is_pearson_and_by_default_it_is_not() {
        let l = Tensor::linspace(-4.0, 4.0, 81, (tch::Kind::Double, tch::Device::Cpu));
        // The loss of pairs with these ratios, penalty minus critic, but for a constant.
        let loss = |part: &dyn Divergence| {
            let loss = part.penalty(&l) - part.critic(&l);
            &loss - loss.mean(None)
        };
        let off = |alpha| {
            let difference = loss(&Tsallis { alpha }) - loss(&super::super::Pearson {});
            difference.abs().max().double_value(&[])
        };
        assert!(off(2.0) < 1e-9, "{}", off(2.0));
        assert!(off(Tsallis::default().alpha) > 1.0);
    }

    #[test]
    fn an_order_of_one_is_refused() {
        assert!(
            Tsallis { alpha: 1.0 }
                .validate()
                .unwrap_err()
                .to_string()
                .contains("use `kl`")
        );
    }
}
