//! The objective `f-micl`:
//! `(1/N) sum_i s(x_i, y_i) - alpha / M sum_negatives f*(s)`, maximised; the loss is its negative.
//!
//! Source: Lu et al., TMLR 2023, arXiv 2402.10150, equation (8) and algorithm 1.

use crate::estimator::{self, Critics};
use crate::{Divergence, Documented, InBatch, Loss, Objective, Pairing, Part, Similarity, register, require};
use serde::{Deserialize, Serialize};

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

impl FMicl {
    fn critics(&self) -> Critics<'_> {
        Critics {
            divergence: &*self.divergence,
            similarity: &*self.similarity,
        }
    }
}

impl Objective for FMicl {
    fn validate(&self) -> crate::Result<()> {
        require(self.alpha > 0.0 && self.alpha <= 1e6, "alpha", || {
            format!("{} is not above 0 and at most 1e6", self.alpha)
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
        let critics = self.critics();
        let cosine = pairing.positive_cosines();
        let reward = critics.reward(&cosine).mean(cosine.kind());
        let penalty = estimator::mean(&critics.penalty(), pairing.negative_pairs(self.negatives));
        let f_mi = (critics.critic(&cosine.detach()).mean(cosine.kind()) - &penalty).detach();
        let terms = vec![
            ("f_mi", f_mi),
            ("reward", reward.detach()),
            ("penalty", penalty.detach()),
        ];
        Loss {
            value: penalty * self.alpha - reward,
            terms,
        }
    }
}
