//! The cosine similarity of the paper's baseline, `t = c / tau`: a raw critic, fed to `f*` directly.

use fmicl_core::{Critic, Documented, Similarity, register, require};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// The scaled cosine, a raw critic.
///
/// If the divergence bounds the domain of `f*` (`js`: below log 2; `hellinger`, `vlc`: below 1), the critic of a
/// negative pair is clamped just inside, and a clamped pair has no gradient: with `tau` below `1 / bound` the nearest
/// negatives do not repel.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cosine {
    /// The temperature, from 1e-6 to 1e6.
    pub tau: f64,
}

impl Default for Cosine {
    fn default() -> Self {
        Cosine { tau: 1.0 }
    }
}

register!(
    Similarity,
    "cosine",
    Cosine,
    "the paper's baseline: a raw critic c / tau"
);

impl Similarity for Cosine {
    fn validate(&self) -> fmicl_core::Result<()> {
        require((1e-6..=1e6).contains(&self.tau), "tau", || {
            format!("{} is not from 1e-6 to 1e6", self.tau)
        })
    }

    fn critic(&self) -> Critic {
        Critic::Raw
    }

    fn value(&self, cosine: &Tensor) -> Tensor {
        cosine / self.tau
    }

    fn flatter(&self) -> &'static str {
        "a larger tau"
    }

    fn affine(&self) -> Option<(f64, f64)> {
        Some((self.tau.recip(), 0.0))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_similarity_laws() {
        fmicl_core::testing::check_similarity(&super::Cosine { tau: 0.2 });
    }
}
