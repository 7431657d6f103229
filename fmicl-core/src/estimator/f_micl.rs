//! The objective `f-micl`:
//! `(1/N) sum_i s(x_i, y_i) - alpha / M sum_negatives f*(s)`, maximised; the loss is its negative. With a shift `v` it is
//! `(1/N) sum_i (s(x_i, y_i) - v) - alpha / M sum_negatives f*(s - v)`.
//!
//! Source: Lu et al., TMLR 2023, arXiv 2402.10150, equation (8) and algorithm 1; the shift is that of its link to InfoNCE.

use crate::compute::sphere::log_mean_exp_on_sphere;
use crate::estimator::log_sums::is_narrow;
use crate::estimator::{self, Critics, Mean, OfCosine, Pairs, Scalar, with_slope};
use crate::{
    Critic, Divergence, Documented, InBatch, Loss, Normaliser, Objective, Pairing, Part, Similarity, register, require,
};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// f-MICL with any divergence and similarity.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FMicl {
    /// The f-divergence. Required.
    pub divergence: Part<dyn Divergence>,
    /// The similarity. Required.
    pub similarity: Part<dyn Similarity>,
    /// The weight of the negative term, above 0; 1 by default.
    #[serde(default = "one")]
    pub alpha: f64,
    /// Negative pairs in a batch of two views: `within` (the default), `cross` or `both`. No effect under an architecture that
    /// defines its own negatives (keys, hard negatives, a bank).
    #[serde(default = "within")]
    pub negatives: InBatch,
    /// Constant subtracted from the critic: `none` (the default), or `best`, the one that is best for the batch's
    /// negatives at `alpha` 1. With it `alpha` says how many times the attraction the repulsion weighs.
    #[serde(default)]
    pub shift: Shift,
}

/// Constant subtracted from the critic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shift {
    /// None.
    #[default]
    None,
    /// The minimiser of `E_neg[f*(s - v)] + v`: the implied density ratio has a mean of 1 over the negatives, as far as the
    /// domain of `f*` lets the nearest pair ([`best_shift`](crate::estimator::best_shift)). It is a constant for the gradient.
    Best,
}

fn one() -> f64 {
    1.0
}

fn within() -> InBatch {
    InBatch::Within
}

register!(
    Objective,
    "f-micl",
    FMicl,
    "f-mutual information with any divergence and similarity"
);

/// Negative term of a batch.
struct Repulsion {
    penalty: Mean,
    /// Shift of the critic, f64 or of the features' kind, and the mean ratio at it.
    shift: Option<(Tensor, Tensor)>,
}

impl FMicl {
    fn critics(&self) -> Critics<'_> {
        Critics::new(&*self.divergence, &*self.similarity)
    }

    /// Logarithm of the factor that normalises the ratios, with its gradient.
    fn offset(&self, pairs: Pairs, dimension: i64) -> Option<Tensor> {
        let (scale, offset) = self.similarity.affine()?;
        match self.similarity.normaliser() {
            Normaliser::Off => None,
            Normaliser::Uniform => Some(Tensor::from(-log_mean_exp_on_sphere(scale, dimension) - offset)),
            Normaliser::Batch => Some(-estimator::log_mean_exp(pairs, scale) - offset),
        }
    }

    /// The negative term, at the best shift where one is wanted.
    fn repulsion(&self, critics: Critics, pairs: Pairs) -> Repulsion {
        if self.shift == Shift::None {
            let penalty = estimator::mean_with_slope(&critics.penalty(), pairs);
            return Repulsion { penalty, shift: None };
        }
        if self.divergence.has_exponential_conjugate() {
            return self.exponential(critics, pairs);
        }
        let (shift, ratio) = estimator::best_shift(critics, pairs);
        let scalar = Scalar::new(&shift);
        let critics = Critics {
            shift: Some(&scalar),
            ..critics
        };
        Repulsion {
            penalty: estimator::mean_with_slope(&critics.penalty(), pairs),
            shift: Some((shift, ratio)),
        }
    }

    /// For `f*(t) = e^(t - 1)` a shift is a factor, so that one pass has the sum and the best shift, `log E e^(t - 1)`.
    fn exponential(&self, critics: Critics, pairs: Pairs) -> Repulsion {
        let (value, log, slope) = match self.similarity.affine() {
            Some((scale, offset)) if is_narrow(scale, pairs.anchors().kind()) => {
                let exponential = OfCosine::new(scale, -scale, |value| {
                    let ratio = estimator::exp(value, 1.0);
                    (ratio.shallow_clone(), ratio)
                });
                let mean = estimator::mean(&exponential, pairs);
                let log = mean.detach().log() + (scale + offset);
                (&mean / mean.detach(), log, mean.ones_like())
            }
            Some((scale, offset)) => {
                let log = estimator::log_mean_exp(pairs, scale);
                (
                    &log - log.detach() + 1.0,
                    log.detach() + offset,
                    log.detach().ones_like(),
                )
            }
            None => {
                let plain = Critics {
                    offset: None,
                    ..critics
                };
                let Mean { value: mean, slope } = estimator::mean_with_slope(&plain.penalty(), pairs);
                let log = match self.similarity.critic() {
                    Critic::Ratio => mean.detach().log(),
                    Critic::Raw => mean.detach().log() + 1.0,
                };
                (&mean / mean.detach(), log, slope / mean.detach())
            }
        };
        let shift = match (self.similarity.critic(), critics.offset) {
            (Critic::Ratio, Some(offset)) => log + offset.get(),
            (Critic::Ratio, None) => log,
            (Critic::Raw, _) => log - 1.0,
        };
        let one = shift.ones_like();
        Repulsion {
            penalty: Mean { value, slope },
            shift: Some((shift, one)),
        }
    }
}

impl Objective for FMicl {
    fn validate(&self) -> crate::Result<()> {
        require(self.alpha > 0.0 && self.alpha <= 1e6, "alpha", || {
            format!("{} is not above 0 and at most 1e6", self.alpha)
        })?;
        let is_normalised = self.similarity.normaliser() == Normaliser::Batch;
        require(!is_normalised || self.shift == Shift::None, "shift", || {
            "has no place with a factor `mu` of the batch, which normalises the ratios as well; leave one of them out"
                .into()
        })?;
        let is_idle = is_normalised && self.divergence.has_exponential_conjugate() && self.alpha != 1.0;
        require(!is_idle, "alpha", || {
            let divergence = self.divergence.name();
            format!(
                "has no effect: with a factor `mu` of the batch the penalty of `{divergence}` is always 1; leave it out"
            )
        })?;
        let beyond = self.critics().beyond_f32();
        require(beyond.is_none(), "similarity", || {
            let (divergence, similarity) = (self.divergence.name(), &self.similarity);
            format!(
                "`{similarity:?}` is too steep for `{divergence}` in f32: {}; {} keeps it in range",
                beyond.unwrap_or_default(),
                similarity.flatter()
            )
        })
    }

    fn loss(&self, pairing: &Pairing) -> Loss {
        let pairs = pairing.negative_pairs(self.negatives);
        let offset = self.offset(pairs, pairing.anchors.size()[1]);
        let constant = offset.as_ref().map(Scalar::new);
        let critics = Critics {
            offset: constant.as_ref(),
            ..self.critics()
        };
        let Repulsion { penalty, shift } = self.repulsion(critics, pairs);
        let constant_shift = shift.as_ref().map(|(shift, _)| Scalar::new(shift));
        let critics = Critics {
            shift: constant_shift.as_ref(),
            ..critics
        };
        let cosine = pairing.positive_cosines();
        let kind = cosine.kind();
        let reward = critics.reward(&cosine).mean(kind);
        let (_, slope) = with_slope(&cosine, |cosine| critics.reward(cosine));
        // Of moving all cosines together, at the factor that the ratios have.
        let scale = self.similarity.affine().map_or(1.0, |(scale, _)| scale);
        let mut balance = &penalty.slope * (self.alpha * scale) - slope.mean(kind);
        let mut value = &penalty.value * self.alpha - &reward;
        if let Some(offset) = offset.filter(|_| self.similarity.normaliser() == Normaliser::Batch) {
            // The offset moves all log ratios together, and back what moving all cosines did.
            value += (&offset - offset.detach()) * (&balance / scale);
            balance = balance.zeros_like();
        }
        let critic = critics.critic(&cosine.detach());
        let mut terms = vec![
            ("f_mi", critic.mean(kind) - penalty.value.detach()),
            ("reward", reward.detach()),
            ("penalty", penalty.value.detach()),
            ("balance", balance),
        ];
        if let Some((shift, ratio)) = shift {
            terms.push(("shift", shift.to_kind(kind)));
            terms.push(("mean_ratio", ratio.to_kind(kind)));
        }
        Loss { value, terms }
    }
}
