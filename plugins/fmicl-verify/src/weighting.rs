//! The weight `alpha` as another divergence: `f_a(u) = a f(u / a) - a f(1 / a)` is a valid `f`, and its conjugate is
//! `a f* + a f(1 / a)`.

use super::Claim;
use fmicl_core::Divergence;
use tch::{Device, Kind, Tensor};

/// Weight of the paper's experiments on images.
const WEIGHT: f64 = 40.0;

/// The conjugate of `f_a` at `f_a'(u)` by Fenchel's equality, `u f_a'(u) - f_a(u)`, against the proposition's.
pub fn claim(name: &str, divergence: &dyn Divergence) -> Claim {
    let log_u = Tensor::linspace(-3.0, 6.0, 91, (Kind::Double, Device::Cpu));
    let inner = &log_u - WEIGHT.ln();
    let at_one = divergence.generator(&Tensor::from(-WEIGHT.ln())) * WEIGHT;
    let weighted = divergence.generator(&inner) * WEIGHT - &at_one;
    let critic = divergence.critic(&inner);
    let by_fenchel = log_u.exp() * &critic - weighted;
    let by_proposition = divergence.conjugate(&critic) * WEIGHT + at_one;
    let size = by_fenchel.abs().clamp_min(1.0);
    let off = ((by_fenchel - by_proposition) / size).abs().max().double_value(&[]);
    Claim::at_most(
        name,
        "a weight of 40 is another divergence: its conjugate, difference",
        off,
        1e-9,
    )
}
