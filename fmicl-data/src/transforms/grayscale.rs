//! Gray as three equal channels, torchvision's `RandomGrayscale`.

use super::require_probability;
use fmicl_core::{Documented, Error, Op, PixelOp, Result, Rng, Size, Transform, register};
use serde::{Deserialize, Serialize};

/// torchvision's `RandomGrayscale(p)`: the luma in all three channels. The default is SimCLR's.
#[derive(Debug, Documented, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grayscale {
    /// The probability that the view is gray, from 0 to 1.
    pub p: f64,
}

impl Default for Grayscale {
    fn default() -> Self {
        Grayscale { p: 0.2 }
    }
}

register!(Transform, "grayscale", Grayscale, "torchvision's RandomGrayscale");

impl Transform for Grayscale {
    fn validate(&self) -> Result<()> {
        require_probability(self.p)
    }

    fn validate_for_gray(&self) -> Result<()> {
        Err(Error::config(
            "views of one channel are gray already: leave it out, or set it to false",
        ))
    }

    fn draw(&self, _size: Size, rng: &mut Rng) -> Op {
        match rng.chance(self.p) {
            true => Op::Pixels(vec![PixelOp::Gray]),
            false => Op::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transforms::golden::compare;
    use fmicl_core::testing::check_transform;

    #[test]
    fn obeys_the_transform_laws() {
        check_transform(&Grayscale::default());
    }

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("grayscale").1, 0);
    }
}
