//! The best constant to subtract from the critic.
//!
//! For any `v`, `E_pos[s - v] - E_neg[f*(s - v)]` bounds the f-mutual information from below; the best `v` makes it
//! largest. There `E_neg[(f*)'(s - v)] = 1`: the density ratio that the critic implies is normalised. For Kullback-Leibler
//! it is `log E_neg[e^(s - 1)]`, and the bound that of Donsker and Varadhan, which InfoNCE bounds from above.
//!
//! Source: Lu et al., "f-MICL", TMLR 2023, arXiv 2402.10150, on the link to InfoNCE; Ruderman et al., "Tighter
//! Variational Representations of f-Divergences via Restriction to Probability Measures", ICML 2012.

use super::histogram::{Nodes, nodes};
use super::{Critics, Pairs, with_slope};
use tch::{Device, Kind, Tensor};

/// Evaluations of the condition at most. Secants need about ten; every third evaluation halves the bracket for sure.
const MOST: usize = 48;

/// The best shift `v` of a critic over negative pairs, and the mean ratio there, both f64, of shape `[]`, without gradient:
/// one pass over the tiles. The mean ratio is 1, or less where one pair is so near that a shift for a mean of 1 would bring
/// its critic beyond the domain of `f*`: then the shift is the nearest that does not.
///
/// `critics` must not be shifted already.
pub fn best_shift(critics: Critics, pairs: Pairs) -> (Tensor, Tensor) {
    let _no_grad = tch::no_grad_guard();
    let Nodes { cosines, weights } = nodes(pairs);
    let critic = critics.reward(&cosines);
    let (low, high) = critics.bounds();
    let present = weights.gt(0.0);
    let largest = critic.where_scalarother(&present, f64::NEG_INFINITY).max();
    let least = critic.where_scalarother(&present, f64::INFINITY).min();
    // (f*)' is 1 at f'(1).
    let one = critics.divergence.critic(&Tensor::zeros_like(&largest));
    // Logarithm of the mean ratio, which falls with the shift; for Kullback-Leibler on a straight line.
    let excess = |shift: &Tensor| {
        let (_, ratio) = with_slope(&(&critic - shift).clamp(low, high), |t| critics.divergence.conjugate(t));
        // A ratio may overflow, also one of no pair.
        let weighted = (ratio * &weights).where_scalarother(&present, 0.0);
        weighted.sum(None::<Kind>).clamp(1e-300, 1e300).log()
    };
    // The nearest pair stays inside the range: on its very end rounding would decide whether it has a gradient. By as much as
    // the end is from that of the domain, so that an f32 still has its slope.
    let inside = (largest.abs() + 1.0) * 1e-4;
    let above = (&least - &one).maximum(&(&largest - high + inside));
    let shift = root(excess, above, &largest - one);
    // Where a feature is not finite, neither is the shift.
    let shift = shift + weights.sum(None::<Kind>) * 0.0;
    let ratio = excess(&shift).exp();
    (shift, ratio)
}

/// The root of a falling function between `a` and `b`, or `a` where it is negative from there on: secants, each end of
/// the bracket drawn in (the Illinois method), and every third time the middle. Without a copy from a GPU.
fn root(of: impl Fn(&Tensor) -> Tensor, a: Tensor, b: Tensor) -> Tensor {
    let (start, first) = (a.shallow_clone(), of(&a));
    let (mut a, mut b) = (a, b);
    let (mut of_a, mut of_b) = (first.shallow_clone(), of(&b));
    for count in 0..MOST {
        let middle = (&a + &b) / 2.0;
        let secant = &b - &of_b * (&b - &a) / (&of_b - &of_a);
        let inside = secant
            .isfinite()
            .logical_and(&secant.ge_tensor(&a))
            .logical_and(&secant.le_tensor(&b));
        let guess = match count % 3 {
            2 => middle,
            _ => secant.where_self(&inside, &middle),
        };
        let value = of(&guess);
        let is_above = value.gt(0.0);
        // The end that stays counts half, so that the next secant comes from the other side.
        (of_a, of_b) = (
            value.where_self(&is_above, &(&of_a / 2.0)),
            (&of_b / 2.0).where_self(&is_above, &value),
        );
        (a, b) = (guess.where_self(&is_above, &a), b.where_self(&is_above, &guess));
        // Where it costs nothing to look.
        if guess.device() == Device::Cpu
            && (value.double_value(&[]).abs() < 1e-14 || (&b - &a).double_value(&[]).abs() < 1e-13)
        {
            return guess.where_self(&first.gt(0.0), &start);
        }
    }
    ((a + b) / 2.0).where_self(&first.gt(0.0), &start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_on_straight_and_on_crooked_lines() {
        let at = |value: f64| Tensor::from(value);
        let found = root(|v| 3.0 - v, at(-10.0), at(50.0)).double_value(&[]);
        assert!((found - 3.0).abs() < 1e-12, "{found}");
        let crooked = |v: &Tensor| -((v - 1.0).exp() - 1.0 + (v - 1.0) * 1e-3);
        let found = root(crooked, at(-80.0), at(40.0)).double_value(&[]);
        assert!((found - 1.0).abs() < 1e-10, "{found}");
        let found = root(|v| -1.0 - v, at(0.0), at(5.0)).double_value(&[]);
        assert_eq!(found, 0.0);
    }
}
