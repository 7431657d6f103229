//! A divergence and a similarity together: functions of the cosine of a pair.

use super::{OfCosine, with_slope};
use crate::{Critic, Divergence, Similarity};
use tch::Tensor;

/// A divergence and a similarity together: functions of the cosine of a pair.
#[derive(Debug, Clone, Copy)]
pub struct Critics<'a> {
    /// The divergence.
    pub divergence: &'a dyn Divergence,
    /// The similarity.
    pub similarity: &'a dyn Similarity,
}

impl<'a> Critics<'a> {
    /// What a positive pair earns, `s(c)`: `f'(u)` for a ratio, `t` itself for a raw critic. Differentiable.
    pub fn reward(&self, cosine: &Tensor) -> Tensor {
        let value = self.similarity.value(cosine);
        match self.similarity.critic() {
            Critic::Ratio => self.divergence.critic(&value),
            Critic::Raw => value,
        }
    }

    /// The critic `t` of a pair within the domain of `f*`, where the objective at `alpha = 1` bounds the f-mutual
    /// information: [`reward`](Critics::reward), but for a raw critic beyond the domain.
    pub fn critic(&self, cosine: &Tensor) -> Tensor {
        match self.similarity.critic() {
            Critic::Ratio => self.reward(cosine),
            Critic::Raw => {
                let (low, high) = self.divergence.domain();
                self.reward(cosine).clamp(low, high)
            }
        }
    }

    /// What a negative pair costs, `h(c) = f*(s(c))`.
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
