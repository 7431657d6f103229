//! The laws of a divergence.

use super::distance;
use crate::Divergence;
use crate::estimator::with_slope;
use tch::{Device, Kind, Tensor};

/// Checks, for `l = log u` on a grid in f64: `f(1) = 0`; `f'` is the derivative of `f` and increases (`f'' >= 0`);
/// `f*(f'(u)) = u f'(u) - f(u)` and the closed-form penalty equals it; Fenchel-Young, `f*(t) >= u t - f(u)`; the
/// penalty's slope equals autograd's and `u^2 f''(u)`; `f*` is finite on its domain, and `e^(t - 1)` where the part says
/// so. And in f32, everything is
/// finite for `|l| <= 80` where the mathematics is.
///
/// # Panics
/// With the name of the law that is broken.
pub fn check_divergence(part: &dyn Divergence) {
    part.validate().expect("the options are in range");
    let l = Tensor::linspace(-6.0, 6.0, 241, (Kind::Double, Device::Cpu));
    let u = l.exp();
    let close = |what: &str, a: &Tensor, b: &Tensor| {
        let off = distance(a, b);
        assert!(off < 1e-9, "{part:?}: {what}: off by {off:e}");
    };

    let one = part.generator(&Tensor::zeros([1], (Kind::Double, Device::Cpu)));
    assert!(
        one.double_value(&[0]).abs() < 1e-12,
        "{part:?}: f(1) = {}",
        one.double_value(&[0])
    );

    let (f, f_slope) = with_slope(&l, |l| part.generator(l));
    let (critic, critic_slope) = with_slope(&l, |l| part.critic(l));
    close("f'(u) is the derivative of f", &critic, &(f_slope / &u));
    assert!(
        critic_slope.min().double_value(&[]) >= 0.0,
        "{part:?}: f'' is negative somewhere"
    );

    let fenchel = &u * &critic - &f;
    close("f*(f'(u)) = u f'(u) - f(u)", &part.conjugate(&critic), &fenchel);
    close("the penalty is f*(f'(u))", &part.penalty(&l), &fenchel);
    // A row a critic, a column a ratio.
    let below = u.unsqueeze(0) * critic.unsqueeze(1) - f.unsqueeze(0);
    let gap = (part.conjugate(&critic).unsqueeze(1) - &below) / below.abs().clamp_min(1.0);
    assert!(
        gap.min().double_value(&[]) > -1e-9,
        "{part:?}: Fenchel-Young, f*(t) >= u t - f(u), does not hold"
    );

    let (penalty, slope) = part.penalty_and_slope(l.copy());
    let (by_hand, by_autograd) = with_slope(&l, |l| part.penalty(l));
    close("penalty_and_slope has the penalty", &penalty, &by_hand);
    close("the slope is the penalty's", &slope, &by_autograd);
    close("the slope is u^2 f''(u)", &slope, &(u * critic_slope));

    let (least, most) = part.range();
    assert!(
        // By default they are the domain's, which may end before an open end of the range.
        part.range() == part.domain()
            || (critic.min().double_value(&[]) >= least && critic.max().double_value(&[]) <= most),
        "{part:?}: f'(u) leaves its range, {least} to {most}"
    );

    let (low, high) = part.domain();
    assert!(low < high, "{part:?}: the domain {low} to {high} is empty");
    let t = Tensor::linspace(low.max(-50.0), high.min(50.0), 101, (Kind::Double, Device::Cpu));
    let (conjugate, rise) = with_slope(&t, |t| part.conjugate(t));
    assert!(
        conjugate.isfinite().all().int64_value(&[]) == 1,
        "{part:?}: f* is not finite on its domain"
    );
    assert!(
        rise.diff(1, 0, None::<Tensor>, None::<Tensor>).min().double_value(&[]) > -1e-9,
        "{part:?}: f* is not convex"
    );

    if part.has_exponential_conjugate() {
        let off = (conjugate / (&t - 1.0).exp() - 1.0).abs().max().double_value(&[]);
        assert!(off < 1e-12, "{part:?}: f*(t) is not e^(t - 1): off by {off:e}");
    }

    finite_in_f32(part);
}

/// A value that f32 can hold must come out of f32 arithmetic.
fn finite_in_f32(part: &dyn Divergence) {
    let l = Tensor::linspace(-80.0, 80.0, 321, (Kind::Double, Device::Cpu));
    let values = |l: &Tensor| {
        let (penalty, slope) = part.penalty_and_slope(l.copy());
        [("critic", part.critic(l)), ("penalty", penalty), ("slope", slope)]
    };
    for ((what, exact), (_, single)) in values(&l).iter().zip(values(&l.to_kind(Kind::Float))) {
        let representable = exact.abs().le(1e37);
        let off = (single.to_kind(Kind::Double) - exact).abs() / exact.abs().clamp_min(1.0);
        let off = off
            .nan_to_num(f64::INFINITY, f64::INFINITY, f64::INFINITY)
            .where_self(&representable, &l.zeros_like());
        let worst = off.max().double_value(&[]);
        assert!(worst < 1e-3, "{part:?}: {what} in f32 for |l| <= 80: off by {worst:e}");
    }
}
