//! InfoNCE, `-log( e^{c_pos / tau} / (e^{c_pos / tau} + sum_negatives e^{c / tau}) )`, averaged over the anchors.
//!
//! On a batch of two views it is NT-Xent: all `2N` features are anchors, each with `2N - 2` negatives (Chen et al.,
//! SimCLR, ICML 2020, arXiv 2002.05709, equation 1). With keys or a bank it is the loss of MoCo v3 and MoCo (He et
//! al., CVPR 2020, arXiv 1911.05722), without MoCo v3's factor `2 tau`.

use crate::pairs::{positive_cosines, without_diagonal};
use fmicl_core::{Loss, Negatives, Objective, Pairing, register, require};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// InfoNCE; NT-Xent under SimCLR.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InfoNce {
    /// The temperature, from 1e-6 to 1e6.
    pub temperature: f64,
}

impl Default for InfoNce {
    fn default() -> Self {
        InfoNce { temperature: 0.5 }
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
        require((1e-6..=1e6).contains(&self.temperature), "temperature", || {
            format!("{} is not from 1e-6 to 1e6", self.temperature)
        })
    }

    fn loss(&self, pairing: &Pairing) -> Loss {
        let (x, y) = (&pairing.anchors, &pairing.positives);
        let kind = x.kind();
        let positive = positive_cosines(x, y) / self.temperature;
        // Every row holds an anchor's positive and its negatives.
        let (logits, positive) = match &pairing.negatives {
            Negatives::Batch => {
                let all = Tensor::cat(&[x, y], 0);
                let logits = all.matmul(&all.tr()) / self.temperature;
                (without_diagonal(&logits, f64::NEG_INFINITY), positive.repeat([2]))
            }
            Negatives::Keys => (x.matmul(&y.tr()) / self.temperature, positive),
            Negatives::Bank(bank) => {
                let negatives = x.matmul(&bank.tr()) / self.temperature;
                (Tensor::cat(&[&positive.unsqueeze(1), &negatives], 1), positive)
            }
        };
        let candidates = logits.size()[1] - i64::from(matches!(pairing.negatives, Negatives::Batch));
        let value = (logits.logsumexp([1].as_slice(), false) - &positive).mean(kind);
        let f_mi = (candidates as f64).ln() - value.detach();
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
        for temperature in [0.07, 0.5] {
            fmicl_core::testing::check_objective(&super::InfoNce { temperature });
        }
    }
}
