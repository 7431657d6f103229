//! Alignment and Uniformity: `w_a mean |x_i - y_i|^2 + w_u log mean_{negatives} e^{-t |x - x'|^2}`.
//!
//! On a batch of two views the second term is the mean of the two views' own, each over its pairs `i != j`; with keys
//! or hard negatives it is over those and the other pairs' positives, with a bank over the bank.
//!
//! Source: Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity on the
//! Hypersphere", ICML 2020, arXiv 2005.10242, and its code (`align_loss` with exponent 2, `uniform_loss`).

use fmicl_core::estimator::{Pairs, with_log_sums};
use fmicl_core::{Documented, InBatch, Loss, Objective, Pairing, register, require};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Alignment and Uniformity.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlignUniform {
    /// The weight of alignment, above 0.
    pub align: f64,
    /// The weight of uniformity, above 0.
    pub uniform: f64,
    /// The sharpness of the Gaussian potential, above 0.
    pub t: f64,
}

impl Default for AlignUniform {
    fn default() -> Self {
        AlignUniform {
            align: 1.0,
            uniform: 1.0,
            t: 2.0,
        }
    }
}

register!(
    Objective,
    "align-uniform",
    AlignUniform,
    "alignment of pairs plus uniformity on the sphere"
);

impl Objective for AlignUniform {
    fn validate(&self) -> fmicl_core::Result<()> {
        for (key, value) in [("align", self.align), ("uniform", self.uniform), ("t", self.t)] {
            require(value > 0.0 && value <= 1e6, key, || {
                format!("{value} is not above 0 and at most 1e6")
            })?;
        }
        Ok(())
    }

    fn loss(&self, pairing: &Pairing) -> Loss {
        let cosines = pairing.positive_cosines();
        let kind = cosines.kind();
        // |x - y|^2 = 2 - 2c on the sphere.
        let alignment = (-cosines * 2.0 + 2.0).mean(kind);
        let anchors = self.uniformity(pairing.negative_pairs(InBatch::Within));
        let uniformity = match pairing.pairs_within_positives() {
            Some(pairs) => (anchors + self.uniformity(pairs)) / 2.0,
            None => anchors,
        };
        let value = &alignment * self.align + &uniformity * self.uniform;
        Loss {
            value,
            terms: vec![("align", alignment.detach()), ("uniform", uniformity.detach())],
        }
    }
}

impl AlignUniform {
    /// `log mean e^{-t |x_i - y_j|^2}` over the pairs.
    fn uniformity(&self, pairs: Pairs) -> Tensor {
        let sharpness = 2.0 * self.t;
        let others = (pairs.others() as f64).ln();
        with_log_sums(pairs, sharpness, |log_sums| {
            let anchors = (log_sums.size()[0] as f64).ln();
            log_sums.logsumexp([0].as_slice(), false) - (anchors + others + sharpness)
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_objective_laws() {
        fmicl_core::testing::check_objective(&super::AlignUniform::default());
    }
}
