//! Solarize: values from a threshold on are inverted.
//!
//! `v` where `v < threshold`, else `255 - v`. Source: `PIL.ImageOps.solarize`, which torchvision's `RandomSolarize` calls;
//! BYOL (arXiv 2006.07733, appendix B) and MoCo v3 (arXiv 2104.02057) have it in one of their two views.

use fmicl_core::{Documented, Op, PixelOp, Result, Rng, Size, Transform, register, require};
use serde::{Deserialize, Serialize};

/// torchvision's `RandomSolarize(threshold, p)`. The defaults are BYOL's and MoCo v3's for their second view.
#[derive(Debug, Documented, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Solarize {
    /// The least value that is inverted, from 0 (all are) to 256 (none is).
    pub threshold: u16,
    /// The probability that the view is solarized, from 0 to 1.
    pub p: f64,
}

impl Default for Solarize {
    fn default() -> Self {
        Solarize { threshold: 128, p: 0.2 }
    }
}

register!(
    Transform,
    "solarize",
    Solarize,
    "torchvision's RandomSolarize: inverts values from a threshold on"
);

impl Solarize {
    fn table(&self) -> [u8; 256] {
        std::array::from_fn(|value| {
            let kept = value < usize::from(self.threshold);
            if kept { value as u8 } else { 255 - value as u8 }
        })
    }
}

impl Transform for Solarize {
    fn validate(&self) -> Result<()> {
        require(self.threshold <= 256, "threshold", || {
            format!("{} is not from 0 to 256", self.threshold)
        })?;
        require((0.0..=1.0).contains(&self.p), "p", || {
            format!("{} is not a probability", self.p)
        })
    }

    fn draw(&self, _size: Size, rng: &mut Rng) -> Op {
        match rng.chance(self.p) {
            true => Op::Pixels(vec![PixelOp::Table(Box::new(self.table()))]),
            false => Op::Keep,
        }
    }

    fn drawn(&self, _size: Size, rng: &mut Rng) -> Option<String> {
        rng.chance(self.p).then(|| format!("from {}", self.threshold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_transform;

    #[test]
    fn obeys_the_transform_laws() {
        for p in [0.0, 0.2, 1.0] {
            check_transform(&Solarize { threshold: 100, p });
        }
    }

    /// A record of `golden/solarize.bin`: the threshold, then PIL's values for all 256.
    #[test]
    fn equals_pillow_to_the_bit() {
        let golden = include_bytes!("../golden/solarize.bin");
        let (records, rest) = golden.as_chunks::<258>();
        assert!(records.len() >= 6 && rest.is_empty());
        for record in records {
            let threshold = u16::from_le_bytes([record[0], record[1]]);
            let drawn = Solarize { threshold, p: 1.0 }.draw(Size { width: 1, height: 1 }, &mut Rng::new(&[]));
            let Op::Pixels(ops) = drawn else { panic!("not drawn") };
            let [PixelOp::Table(table)] = &ops[..] else {
                panic!("no table")
            };
            assert_eq!(table[..], record[2..], "threshold {threshold}");
        }
    }

    #[test]
    fn ranges_are_checked() {
        let error = |solarize: Solarize| solarize.validate().unwrap_err().to_string();
        assert_eq!(
            error(Solarize { threshold: 257, p: 0.2 }),
            "threshold: 257 is not from 0 to 256"
        );
        assert_eq!(error(Solarize { threshold: 0, p: 1.2 }), "p: 1.2 is not a probability");
    }
}
