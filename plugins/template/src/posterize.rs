//! Posterize: fewer bits a channel.
//!
//! Source: `PIL.ImageOps.posterize`, which torchvision's `RandomPosterize` calls.

use fmicl_core::{Documented, Op, PixelOp, Result, Rng, Size, Transform, register, require};
use serde::{Deserialize, Serialize};

/// torchvision's `RandomPosterize(bits, p)`.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Posterize {
    /// The bits of each value that are kept, the highest first; from 1 to 8.
    pub bits: u32,
    /// The probability that the view is posterized, from 0 to 1.
    pub p: f64,
}

impl Default for Posterize {
    fn default() -> Self {
        Posterize { bits: 4, p: 0.5 }
    }
}

register!(Transform, "posterize", Posterize, "fewer bits a channel, as PIL's");

impl Transform for Posterize {
    fn validate(&self) -> Result<()> {
        require((1..=8).contains(&self.bits), "bits", || {
            format!("{} is not from 1 to 8", self.bits)
        })?;
        require((0.0..=1.0).contains(&self.p), "p", || {
            format!("{} is not a probability", self.p)
        })
    }

    fn draw(&self, _size: Size, rng: &mut Rng) -> Op {
        if !rng.chance(self.p) {
            return Op::Keep;
        }
        let kept = 0xffu8 << (8 - self.bits);
        Op::Pixels(vec![PixelOp::Table(Box::new(std::array::from_fn(|value| {
            value as u8 & kept
        })))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_transform;

    #[test]
    fn obeys_the_transform_laws() {
        check_transform(&Posterize::default());
    }

    #[test]
    fn keeps_the_highest_bits_with_its_probability() {
        let posterize = Posterize { bits: 3, p: 0.25 };
        let size = Size { width: 8, height: 8 };
        let drawn: Vec<Op> = (0..4000)
            .map(|stream| posterize.draw(size, &mut Rng::new(&[stream])))
            .filter(|op| !matches!(op, Op::Keep))
            .collect();
        assert!(drawn.len().abs_diff(1000) < 140, "{} of 4000", drawn.len());
        let Op::Pixels(ops) = &drawn[0] else {
            panic!("no pixels")
        };
        let [PixelOp::Table(table)] = &ops[..] else {
            panic!("no table")
        };
        assert_eq!((table[31], table[32], table[255]), (0, 32, 224));
    }
}
