//! A raw critic `t = slope c + offset`.
//!
//! With `pearson` and the defaults, f-MICL is the Spectral Contrastive Loss up to a constant (HaoChen et al.,
//! NeurIPS 2021, arXiv 2106.04156).

use fmicl_core::{Critic, Documented, Similarity, register, require};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// An affine map of the cosine, a raw critic; clamped on negatives as [`super::Cosine`] is.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Linear {
    /// The slope, above 0.
    pub slope: f64,
    /// The offset.
    pub offset: f64,
}

impl Default for Linear {
    fn default() -> Self {
        Linear {
            slope: 2.0,
            offset: -2.0,
        }
    }
}

register!(
    Similarity,
    "linear",
    Linear,
    "a raw critic slope * c + offset; with pearson, the Spectral Contrastive Loss"
);

impl Similarity for Linear {
    fn validate(&self) -> fmicl_core::Result<()> {
        require(self.slope > 0.0 && self.slope.is_finite(), "slope", || {
            format!("{} is not above 0", self.slope)
        })?;
        require(self.offset.is_finite(), "offset", || {
            format!("{} is not finite", self.offset)
        })
    }

    fn critic(&self) -> Critic {
        Critic::Raw
    }

    fn value(&self, cosine: &Tensor) -> Tensor {
        cosine * self.slope + self.offset
    }

    fn flatter(&self) -> &'static str {
        "a smaller slope, or an offset nearer to 0"
    }

    fn affine(&self) -> Option<(f64, f64)> {
        Some((self.slope, self.offset))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn obeys_the_similarity_laws() {
        fmicl_core::testing::check_similarity(&super::Linear::default());
    }
}
