//! A divergence and a similarity together: functions of the cosine of a pair.

use super::{OfCosine, with_slope};
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
}

impl<'a> Critics<'a> {
    /// Critic of a positive pair, `s(c)`: `f'(u)` for a ratio, `t` itself for a raw critic. Differentiable.
    pub fn reward(&self, cosine: &Tensor) -> Tensor {
        let value = self.similarity.value(cosine);
        match self.similarity.critic() {
            Critic::Ratio => self.divergence.critic(&value),
            Critic::Raw => value,
        }
    }

    /// Critic `t` of a pair, clamped to the domain of `f*`, so that the objective at `alpha = 1` bounds the f-mutual
    /// information. Equals [`reward`](Critics::reward) except for a raw critic outside the domain.
    pub fn critic(&self, cosine: &Tensor) -> Tensor {
        match self.similarity.critic() {
            Critic::Ratio => self.reward(cosine),
            Critic::Raw => {
                let (low, high) = self.divergence.domain();
                self.reward(cosine).clamp(low, high)
            }
        }
    }

    /// Penalty of a negative pair, `h(c) = f*(s(c))`.
    pub fn penalty(self) -> OfCosine<'a> {
        match self.similarity.affine() {
            Some((scale, offset)) => OfCosine::new(scale, offset, move |value| self.of_similarity(value)),
            None => OfCosine::new(1.0, 0.0, move |cosine| {
                let (value, chain) = self.similarity.value_and_slope(&cosine);
                let (penalty, slope) = self.of_similarity(value);
                (penalty, slope * chain)
            }),
        }
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
            // Not a number is no less than that.
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
    fn of_similarity(&self, value: Tensor) -> (Tensor, Tensor) {
        match self.similarity.critic() {
            Critic::Ratio => self.divergence.penalty_and_slope(value),
            Critic::Raw => {
                let (low, high) = self.divergence.domain();
                with_slope(&value, |t| self.divergence.conjugate(&t.clamp(low, high)))
            }
        }
    }
}
