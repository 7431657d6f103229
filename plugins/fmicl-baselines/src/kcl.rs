//! Kernel Contrastive Loss: `-2 mean k(x_i, y_i) + gamma (mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j))`.
//!
//! With keys the energy is twice that of the anchors with the other pairs' keys, with a bank twice that with the whole
//! bank.
//!
//! Source: Koromilas et al., ICML 2024, arXiv 2405.18045, and its code (`KCL`). Its code halves the log kernel in the
//! energy; here a kernel is the same in both terms. Its Riesz kernels are infinite for equal features and left out.

use fmicl_core::estimator::{OfCosine, mean, with_slope};
use fmicl_core::{Documented, InBatch, Loss, Objective, Pairing, register, require};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// KCL.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kcl {
    /// Kernel: `"gaussian"`, `"log"` or `"imq"`.
    pub kernel: Kernel,
    /// The kernel's scale, from 1e-3 to 1e3.
    pub t: f64,
    /// The weight of the energy, above 0 and at most 1e6.
    pub gamma: f64,
}

/// A kernel of the distance `r` of two features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kernel {
    /// `e^{-t r^2}`.
    Gaussian,
    /// `-log(t r^2 + 1)`.
    Log,
    /// The inverse multiquadric, `t / sqrt(t^2 + r^2)`.
    Imq,
}

impl Default for Kcl {
    fn default() -> Self {
        Kcl {
            kernel: Kernel::Gaussian,
            t: 2.0,
            gamma: 16.0,
        }
    }
}

register!(
    Objective,
    "kcl",
    Kcl,
    "kernel contrastive loss: gaussian, log or inverse multiquadric"
);

impl Objective for Kcl {
    fn validate(&self) -> fmicl_core::Result<()> {
        require((1e-3..=1e3).contains(&self.t), "t", || {
            format!("{} is not from 1e-3 to 1e3", self.t)
        })?;
        require(self.gamma > 0.0 && self.gamma <= 1e6, "gamma", || {
            format!("{} is not above 0 and at most 1e6", self.gamma)
        })
    }

    fn loss(&self, pairing: &Pairing) -> Loss {
        let kernel = OfCosine::new(1.0, 0.0, |cosine| with_slope(&cosine, |cosine| self.kernel(cosine)));
        let anchors = mean(&kernel, pairing.negative_pairs(InBatch::Within));
        let energy = match pairing.pairs_within_positives() {
            Some(pairs) => anchors + mean(&kernel, pairs),
            None => anchors * 2.0,
        };
        let cosines = pairing.positive_cosines();
        let reward = self.kernel(&cosines).mean(cosines.kind()) * 2.0;
        let terms = vec![("reward", reward.detach()), ("energy", energy.detach())];
        Loss {
            value: energy * self.gamma - reward,
            terms,
        }
    }
}

impl Kcl {
    /// The kernel of cosines: `r^2 = 2 - 2c` on the sphere.
    fn kernel(&self, cosine: &Tensor) -> Tensor {
        let squared = cosine * -2.0 + 2.0;
        match self.kernel {
            Kernel::Gaussian => (squared * -self.t).exp(),
            // Rounding can make the distance of equal features a little negative.
            Kernel::Log => -(squared.clamp_min(0.0) * self.t).log1p(),
            Kernel::Imq => (squared.clamp_min(0.0) + self.t * self.t).rsqrt() * self.t,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kcl, Kernel};

    #[test]
    fn obeys_the_objective_laws() {
        for kernel in [Kernel::Gaussian, Kernel::Log, Kernel::Imq] {
            fmicl_core::testing::check_objective(&Kcl {
                kernel,
                ..Default::default()
            });
        }
    }
}
