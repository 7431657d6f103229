//! Jeffreys, `f(u) = (u - 1) log u`: Kullback-Leibler and its reverse together.
//!
//! Source: Lu et al., appendix, table 5. Its conjugate `w + 1/w + t - 2` has the Lambert function, `w = W(e^{1 - t})`.
//! Under the f-Gaussian similarity the penalty is strictly convex in the squared distance, as the uniformity theorem asks.

use fmicl_core::estimator::exp;
use fmicl_core::{Divergence, register};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// Jeffreys; it has no options. A raw critic may have any value.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jeffreys {}

register!(
    Divergence,
    "jeffreys",
    Jeffreys,
    "Kullback-Leibler and its reverse together: repulsion that never fades; covered by the uniformity theorem"
);

/// `log W(e^y)`, the root `v` of `e^v + v = y`, with its gradient.
fn log_lambert(y: &Tensor) -> Tensor {
    // Newton's steps on a convex, increasing function; from at or above the root they never leave that side.
    let step = |v: &Tensor, y: &Tensor| {
        let w = v.exp();
        v - (&w + v - y) / (w + 1.0)
    };
    let root = tch::no_grad(|| {
        let y = y.to_kind(Kind::Double);
        // W(e^y) <= y for y >= 1, and W(e^y) <= e^y always.
        let mut v = y.clamp_min(1.0).log().minimum(&y);
        for _ in 0..6 {
            v = step(&v, &y);
        }
        v
    });
    // One more step at the root, whose derivative is the root's: 1 / (1 + w).
    step(&root.to_kind(y.kind()), y)
}

impl Divergence for Jeffreys {
    fn generator(&self, log_u: &Tensor) -> Tensor {
        log_u.expm1() * log_u
    }

    fn critic(&self, log_u: &Tensor) -> Tensor {
        log_u - (-log_u).expm1()
    }

    fn conjugate(&self, t: &Tensor) -> Tensor {
        // At t = f'(u) it is v = -log u, so that the sum is that of `penalty`.
        let v = log_lambert(&(1.0 - t));
        (-&v).expm1() - v
    }

    fn penalty(&self, log_u: &Tensor) -> Tensor {
        log_u.expm1() + log_u
    }

    fn penalty_and_slope(&self, log_u: Tensor) -> (Tensor, Tensor) {
        let linear = &log_u - 1.0;
        let ratio = exp(log_u, 1.0);
        let penalty = linear + &ratio;
        (penalty, ratio + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn obeys_the_divergence_laws() {
        fmicl_core::testing::check_divergence(&Jeffreys {});
    }

    #[test]
    fn the_conjugate_finds_lamberts_function_far_from_0() {
        let y = Tensor::linspace(-300.0, 1e4, 2001, (Kind::Double, Device::Cpu));
        let v = log_lambert(&y);
        let off = ((v.exp() + &v - &y) / y.abs().clamp_min(1.0)).abs().max();
        assert!(off.double_value(&[]) < 1e-12, "{off:?}");
    }
}
