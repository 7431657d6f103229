//! Horizontal flip, torchvision's `RandomHorizontalFlip`.

use super::require_probability;
use fmicl_core::{Documented, Op, Planes, Result, Rng, Size, Transform, register};
use serde::{Deserialize, Serialize};

/// torchvision's `RandomHorizontalFlip(p)`.
#[derive(Debug, Documented, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flip {
    /// The probability that the view is mirrored, from 0 to 1.
    pub p: f64,
}

impl Default for Flip {
    fn default() -> Self {
        Flip { p: 0.5 }
    }
}

register!(Transform, "flip", Flip, "torchvision's RandomHorizontalFlip");

impl Transform for Flip {
    fn validate(&self) -> Result<()> {
        require_probability(self.p)
    }

    fn validate_for_bands(&self, _channels: usize) -> Result<()> {
        Ok(())
    }

    fn draw(&self, _size: Size, rng: &mut Rng) -> Op {
        match rng.chance(self.p) {
            true => Op::Mirror,
            false => Op::Keep,
        }
    }
}

/// Mirrors left and right: torchvision's `hflip`.
pub fn horizontal_flip(image: &mut Planes) {
    if image.width > 0 {
        image.data.chunks_exact_mut(image.width).for_each(<[u8]>::reverse);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transforms::golden::compare;
    use fmicl_core::testing::check_transform;

    #[test]
    fn obeys_the_transform_laws() {
        check_transform(&Flip::default());
    }

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("flip").1, 0);
    }
}
