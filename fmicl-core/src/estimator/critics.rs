//! A divergence and a similarity together: functions of the cosine of a pair.

use super::{OfCosine, Scalar, with_slope};
use crate::{Critic, Divergence, Similarity};
use std::cmp::Ordering;
use tch::{Device, Kind, Tensor};

/// A divergence and a similarity together: functions of the cosine of a pair.
#[derive(Debug, Clone, Copy)]
pub struct Critics<'a> {
    /// The divergence.
    pub divergence: &'a dyn Divergence,
    /// The similarity.
    pub similarity: &'a dyn Similarity,
    /// Added to the log ratio, if there is one: the logarithm of the factor that normalises the ratios.
    pub offset: Option<&'a Scalar>,
    /// Subtracted from the critic, if there is one ([`best_shift`](super::best_shift)).
    pub shift: Option<&'a Scalar>,
}

impl<'a> Critics<'a> {
    /// The critic of a divergence and a similarity, without offset and shift.
    pub fn new(divergence: &'a dyn Divergence, similarity: &'a dyn Similarity) -> Self {
        Critics {
            divergence,
            similarity,
            offset: None,
            shift: None,
        }
    }

    /// Critic of a positive pair, `s(c)`: `f'(u)` for a ratio, `t` itself for a raw critic. Differentiable with respect
    /// to the cosine.
    pub fn reward(&self, cosine: &Tensor) -> Tensor {
        self.reward_of(&self.similarity.value(cosine))
    }

    /// As [`reward`](Critics::reward), of a value of the similarity.
    pub fn reward_of(&self, value: &Tensor) -> Tensor {
        let critic = match self.similarity.critic() {
            Critic::Ratio => self.divergence.critic(&plus(value, self.offset)),
            Critic::Raw => value.shallow_clone(),
        };
        match self.shift {
            Some(shift) => critic - shift.get(),
            None => critic,
        }
    }

    /// Critic `t` of a pair, clamped to the domain of `f*`, so that the objective at `alpha = 1` bounds the f-mutual
    /// information. Equals [`reward`](Critics::reward) except for a raw or shifted critic outside the domain.
    pub fn critic(&self, cosine: &Tensor) -> Tensor {
        match (self.similarity.critic(), self.shift) {
            (Critic::Ratio, None) => self.reward(cosine),
            _ => {
                let (low, high) = self.bounds();
                self.reward(cosine).clamp(low, high)
            }
        }
    }

    /// Bounds to which a raw or shifted critic is clamped before it is the argument of `f*`.
    pub fn bounds(&self) -> (f64, f64) {
        /// Distance from an open end, where the slope of `f*` grows without limit.
        const GAP: f64 = 1e-4;
        match self.similarity.critic() {
            Critic::Ratio => {
                let (low, high) = self.divergence.range();
                (low, high - GAP)
            }
            Critic::Raw => self.divergence.domain(),
        }
    }

    /// Penalty of a negative pair, `h(c) = f*(s(c))`.
    pub fn penalty(self) -> OfCosine<'a> {
        match self.similarity.affine() {
            Some((scale, offset)) => OfCosine::new(scale, offset, move |value| self.penalty_of(value)),
            None => OfCosine::new(1.0, 0.0, move |cosine| {
                let (value, chain) = self.similarity.value_and_slope(&cosine);
                let (penalty, slope) = self.penalty_of(value);
                (penalty, slope * chain)
            }),
        }
    }

    /// The penalty as a function of the similarity's value, for products of features that are that value.
    pub(super) fn penalty_of_products(self) -> OfCosine<'a> {
        OfCosine::new(1.0, 0.0, move |value| self.penalty_of(value))
    }

    /// Describes an overflow: a reward or penalty, or a slope of one, at a cosine from -1 to 1 of which the sum over a
    /// million pairs exceeds f32. `None` if there is none.
    pub fn beyond_f32(&self) -> Option<String> {
        const MOST: f64 = f32::MAX as f64 / (1 << 20) as f64;
        let _no_grad = tch::no_grad_guard();
        let cosines = Tensor::linspace(-1.0, 1.0, 201, (Kind::Float, Device::Cpu));
        let (reward, reward_slope) = with_slope(&cosines, |cosine| self.reward(cosine));
        let (penalty, penalty_slope) = self.penalty().value_and_slope(&cosines);
        let curves = [
            ("the penalty of a negative pair", penalty),
            ("the slope of a negative pair's penalty", penalty_slope),
            ("the reward of a positive pair", reward),
            ("the slope of a positive pair's reward", reward_slope),
        ];
        curves.into_iter().find_map(|(what, curve)| {
            let value = |index: i64| curve.double_value(&[index]);
            let cosine = |index: i64| cosines.double_value(&[index]);
            // NaN compares as neither, and is beyond as well.
            let beyond =
                (0..cosines.size()[0]).filter(|&index| value(index).abs().partial_cmp(&MOST) != Some(Ordering::Less));
            let nearest = beyond.min_by(|&a, &b| cosine(a).abs().total_cmp(&cosine(b).abs()))?;
            let (value, cosine) = (value(nearest), cosine(nearest));
            Some(format!(
                "{what} is {value:.0e} at a cosine of {cosine:.2}, and may be {MOST:.0e} at most"
            ))
        })
    }

    /// The penalty and its slope as functions of the similarity's value.
    fn penalty_of(&self, value: Tensor) -> (Tensor, Tensor) {
        match (self.similarity.critic(), self.shift) {
            (Critic::Ratio, None) => self.divergence.penalty_and_slope(plus(&value, self.offset)),
            _ => {
                let (low, high) = self.bounds();
                with_slope(&value, |value| {
                    self.divergence.conjugate(&self.reward_of(value).clamp(low, high))
                })
            }
        }
    }
}

/// `value + offset`, where there is an offset.
fn plus(value: &Tensor, offset: Option<&Scalar>) -> Tensor {
    match offset {
        Some(offset) => value + offset.get(),
        None => value.shallow_clone(),
    }
}
