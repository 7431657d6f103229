//! Random resized crop: where to crop.
//!
//! Source: torchvision's `RandomResizedCrop.get_params`; Szegedy et al., "Going deeper with convolutions", 2014.

use fmicl_core::{Documented, Op, Region, Result, Rng, Size, Transform, register, require};
use serde::{Deserialize, Serialize};

/// torchvision's `RandomResizedCrop(size, scale, ratio)`; the size is that of the view.
#[derive(Debug, Documented, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Crop {
    /// The least and the greatest part of the image's area that is kept, in (0, 1].
    pub scale: [f64; 2],
    /// The least and the greatest width / height of the crop before it is resized, above 0.
    pub ratio: [f64; 2],
}

impl Default for Crop {
    fn default() -> Self {
        Crop {
            scale: [0.08, 1.0],
            ratio: [3.0 / 4.0, 4.0 / 3.0],
        }
    }
}

register!(
    Transform,
    "crop",
    Crop,
    "torchvision's RandomResizedCrop to the view's size"
);

impl Transform for Crop {
    fn validate(&self) -> Result<()> {
        let ([least, greatest], [narrow, wide]) = (self.scale, self.ratio);
        require(0.0 < least && least <= greatest && greatest <= 1.0, "scale", || {
            format!("[{least}, {greatest}] is not a range within (0, 1]")
        })?;
        require(0.0 < narrow && narrow <= wide && wide.is_finite(), "ratio", || {
            format!("[{narrow}, {wide}] is not a range above 0")
        })
    }

    fn validate_for_bands(&self, _channels: usize) -> Result<()> {
        Ok(())
    }

    fn frames(&self) -> bool {
        true
    }

    fn draw(&self, size: Size, rng: &mut Rng) -> Op {
        Op::Frame(self.sample(size.width, size.height, rng))
    }
}

impl Crop {
    /// Draws the crop of an image of `width` x `height`: uniform in area, uniform in the logarithm of the ratio, and
    /// of ten tries the first that fits; failing those, the largest centred box whose ratio is within the range.
    pub fn sample(&self, width: usize, height: usize, rng: &mut Rng) -> Region {
        let area = (width * height) as f64;
        for _ in 0..10 {
            let target = area * rng.uniform(self.scale[0], self.scale[1]);
            let ratio = rng.uniform(self.ratio[0].ln(), self.ratio[1].ln()).exp();
            // Python's round: halves to even.
            let w = (target * ratio).sqrt().round_ties_even() as usize;
            let h = (target / ratio).sqrt().round_ties_even() as usize;
            if (1..=width).contains(&w) && (1..=height).contains(&h) {
                return Region {
                    top: rng.below(height - h + 1),
                    left: rng.below(width - w + 1),
                    height: h,
                    width: w,
                };
            }
        }
        self.fallback(width, height)
    }

    fn fallback(&self, width: usize, height: usize) -> Region {
        let ratio = width as f64 / height as f64;
        let [narrow, wide] = self.ratio;
        let (w, h) = if ratio < narrow {
            (width, (width as f64 / narrow).round_ties_even() as usize)
        } else if ratio > wide {
            ((height as f64 * wide).round_ties_even() as usize, height)
        } else {
            (width, height)
        };
        let (w, h) = (w.max(1), h.max(1));
        Region {
            top: (height - h) / 2,
            left: (width - w) / 2,
            height: h,
            width: w,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_transform;
    use proptest::{prop_assert, proptest};

    #[test]
    fn obeys_the_transform_laws() {
        check_transform(&Crop::default());
    }

    proptest! {
        #[test]
        fn a_crop_lies_in_the_image(width in 1usize..400, height in 1usize..400, seed: u64, least in 0.01f64..1.0) {
            let crop = Crop { scale: [least, 1.0], ..Crop::default() };
            let it = crop.sample(width, height, &mut Rng::new(&[seed]));
            prop_assert!(it.width >= 1 && it.height >= 1);
            prop_assert!(it.left + it.width <= width && it.top + it.height <= height, "{it:?} in {width}x{height}");
        }
    }

    #[test]
    fn area_ratio_and_place_have_torchvisions_distributions() {
        // In a large image of ratio 1 with these ranges every first try fits and rounding hardly matters.
        let crop = Crop {
            scale: [0.2, 0.6],
            ratio: [0.7, 1.4],
        };
        let (side, count) = (2000, 20_000);
        let mut rng = Rng::new(&[5]);
        let (mut areas, mut logs, mut places) = (vec![], vec![], vec![]);
        for _ in 0..count {
            let it = crop.sample(side, side, &mut rng);
            areas.push((it.width * it.height) as f64 / (side * side) as f64);
            logs.push((it.width as f64 / it.height as f64).ln());
            places.push(it.top as f64 / (side - it.height) as f64);
            places.push(it.left as f64 / (side - it.width) as f64);
        }
        uniform(&mut areas, 0.2, 0.6);
        uniform(&mut logs, 0.7f64.ln(), 1.4f64.ln());
        uniform(&mut places, 0.0, 1.0);
    }

    /// Kolmogorov and Smirnov's distance to the uniform distribution, at a level of about 1e-5.
    fn uniform(values: &mut [f64], low: f64, high: f64) {
        values.sort_by(f64::total_cmp);
        let count = values.len() as f64;
        let off = values
            .iter()
            .enumerate()
            .map(|(i, value)| ((i as f64 + 0.5) / count - (value - low) / (high - low)).abs());
        let distance = off.fold(0.0, f64::max);
        assert!(
            distance < 2.5 / count.sqrt(),
            "{distance} from uniform on [{low}, {high}]"
        );
    }

    #[test]
    fn an_extreme_image_falls_back_to_a_centred_box() {
        let crop = Crop {
            scale: [1.0, 1.0],
            ..Crop::default()
        };
        let at = |width, height| crop.sample(width, height, &mut Rng::new(&[1]));
        // Values of torchvision's fallback.
        assert_eq!(
            at(1000, 30),
            Region {
                top: 0,
                left: 480,
                height: 30,
                width: 40
            }
        );
        assert_eq!(
            at(30, 1000),
            Region {
                top: 480,
                left: 0,
                height: 40,
                width: 30
            }
        );
        let whole = Crop {
            scale: [1.0, 1.0],
            ratio: [0.5, 0.5],
        };
        assert_eq!(
            whole.sample(10, 10, &mut Rng::new(&[1])),
            Region {
                top: 0,
                left: 2,
                height: 10,
                width: 5
            }
        );
    }

    #[test]
    fn ranges_are_checked() {
        let bad = Crop {
            scale: [0.5, 0.2],
            ..Crop::default()
        };
        assert_eq!(
            bad.validate().unwrap_err().to_string(),
            "scale: [0.5, 0.2] is not a range within (0, 1]"
        );
        assert!(
            Crop {
                ratio: [0.0, 1.0],
                ..Crop::default()
            }
            .validate()
            .is_err()
        );
        assert!(
            Crop {
                scale: [0.1, 1.5],
                ..Crop::default()
            }
            .validate()
            .is_err()
        );
        assert!(Crop::default().validate().is_ok());
    }
}
