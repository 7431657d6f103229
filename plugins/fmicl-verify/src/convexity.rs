//! The condition of the uniformity theorem: `h(t) = f*(f'(G(t)))`, the penalty of a pair at squared distance `t` under the
//! f-Gaussian similarity, is strictly convex on [0, 4].

use super::Claim;
use fmicl_core::Divergence;
use tch::{Device, Kind, Tensor};

/// The least second derivative of `h` on [0, 4] at `2 sigma^2 = 1` and `mu = 1`, where the log ratio is `-t`.
pub fn least_curvature(divergence: &dyn Divergence) -> f64 {
    const STEP: f64 = 0.01;
    let t = Tensor::arange_start_step(0.0, 4.0 + STEP / 2.0, STEP, (Kind::Double, Device::Cpu));
    let (_, slope) = divergence.penalty_and_slope(-t);
    // h'(t) is the slope's negative.
    (-slope.diff(1, 0, None::<Tensor>, None::<Tensor>) / STEP)
        .min()
        .double_value(&[])
}

/// Curvature that is more than rounding.
const ROUNDING: f64 = 1e-9;

/// Returns true if the theorem covers the divergence.
pub fn is_covered(divergence: &dyn Divergence) -> bool {
    least_curvature(divergence) > ROUNDING
}

/// The penalty's curvature: a claim of a divergence whose summary says whether the theorem covers it, a fact of any other.
pub fn claim(name: &str, summary: &str, divergence: &dyn Divergence) -> Claim {
    let curvature = least_curvature(divergence);
    if summary.ends_with("; covered by the uniformity theorem") {
        let claim = "the penalty is strictly convex in the squared distance: minus the least curvature";
        return Claim::at_most(name, claim, -curvature, -ROUNDING);
    }
    let claim =
        "least curvature of the penalty in the squared distance, above 0 where the uniformity theorem covers it";
    match summary.ends_with("; not covered by the uniformity theorem") {
        true => Claim::at_most(name, claim, curvature, ROUNDING),
        false => Claim::known(name, claim, curvature),
    }
}
