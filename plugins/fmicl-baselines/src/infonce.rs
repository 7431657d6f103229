//! InfoNCE, `-log( e^{c_pos / tau} / (e^{c_pos / tau} + sum_negatives e^{c / tau}) )`, averaged over the anchors.
//!
//! On a batch of two views it is NT-Xent: all `2N` features are anchors, each with `2N - 2` negatives (Chen et al.,
//! SimCLR, ICML 2020, arXiv 2002.05709, equation 1). With keys or a bank it is the loss of MoCo v3 and MoCo (He et
//! al., CVPR 2020, arXiv 1911.05722), without MoCo v3's factor `2 tau`.

use crate::temperature::check_temperature;
use fmicl_core::estimator::with_log_sums;
use fmicl_core::{Documented, InBatch, Loss, Objective, Pairing, register};
use serde::{Deserialize, Serialize};

/// InfoNCE; NT-Xent under SimCLR.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InfoNce {
    /// The temperature, from 1e-6 to 1e6.
    pub temperature: f64,
    /// Negatives in a batch of two views: `both` is SimCLR's; `cross` is SimCSE's, with only first views as anchors and
    /// the second views of the other samples as negatives (Gao et al., EMNLP 2021, arXiv 2104.08821, equation 4).
    pub negatives: InBatch,
}

impl Default for InfoNce {
    fn default() -> Self {
        InfoNce {
            temperature: 0.5,
            negatives: InBatch::Both,
        }
    }
}

register!(
    Objective,
    "infonce",
    InfoNce,
    "InfoNCE; NT-Xent of 2N views under SimCLR"
);

impl Objective for InfoNce {
    fn validate(&self) -> fmicl_core::Result<()> {
        check_temperature(self.temperature)
    }

    fn loss(&self, pairing: &Pairing) -> Loss {
        let negatives = pairing.negative_pairs(self.negatives);
        let positive = pairing.positive_cosines() / self.temperature;
        let kind = positive.kind();
        let of_anchor = negatives.of_anchors(&positive);
        let value = with_log_sums(negatives, self.temperature.recip(), |log_sums| {
            (of_anchor.logaddexp(log_sums) - &of_anchor).mean(kind)
        });
        let f_mi = ((negatives.others() + 1) as f64).ln() - value.detach();
        Loss {
            value,
            terms: vec![("f_mi", f_mi), ("reward", positive.mean(kind).detach())],
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_objective_laws() {
        use fmicl_core::InBatch;
        for (temperature, negatives) in [(0.07, InBatch::Both), (0.5, InBatch::Cross), (0.5, InBatch::Within)] {
            fmicl_core::testing::check_objective(&super::InfoNce { temperature, negatives });
        }
    }
}
