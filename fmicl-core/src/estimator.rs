//! The negative term of f-MICL, value and gradient together, tile by tile.
//!
//! The term needs only `sum h(c_ij)` and, for the gradient, the matrix of `h'(c_ij)` times the features, where
//! `c` is the cosine and `h` the penalty. Each tile is one matrix product, an elementwise map, a reduction and
//! the product(s) that carry the slopes back; no `N x N` matrix ever exists, so memory is `O(N d + T^2)`.

mod mean_penalty;
mod tiles;

pub use mean_penalty::{Pairs, mean_penalty};
pub use tiles::TILE;

use crate::{Critic, Divergence, Similarity};
use tch::{Kind, Tensor};

/// A divergence and a similarity together: functions of the cosine of a pair.
#[derive(Debug, Clone, Copy)]
pub struct Critics<'a> {
    /// The divergence.
    pub divergence: &'a dyn Divergence,
    /// The similarity.
    pub similarity: &'a dyn Similarity,
}

impl Critics<'_> {
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

    /// What a negative pair costs, `h(c) = f*(s(c))`, and its slope `dh/dc`.
    pub fn penalty_and_slope(&self, cosine: &Tensor) -> (Tensor, Tensor) {
        let (value, chain) = self.similarity.value_and_slope(cosine);
        let (penalty, slope) = match self.similarity.critic() {
            Critic::Ratio => self.divergence.penalty_and_slope(&value),
            Critic::Raw => {
                let (low, high) = self.divergence.domain();
                with_slope(&value, |t| self.divergence.conjugate(&t.clamp(low, high)))
            }
        };
        (penalty, slope * chain)
    }
}

/// `map(x)` and its elementwise slope by autograd, both without gradient. `map` must act elementwise.
pub fn with_slope(x: &Tensor, map: impl Fn(&Tensor) -> Tensor) -> (Tensor, Tensor) {
    let x = x.detach().set_requires_grad(true);
    let (y, total) = tch::with_grad(|| {
        let y = map(&x);
        let total = y.sum(None::<Kind>);
        (y, total)
    });
    if !y.requires_grad() {
        return (y, x.detach().zeros_like());
    }
    let slope = Tensor::run_backward(&[total], &[&x], false, false).remove(0);
    (y.detach(), slope)
}
