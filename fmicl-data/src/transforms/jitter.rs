//! Colour jitter: four adjustments in random order.
//!
//! Source: torchvision's `ColorJitter` in a `RandomApply`; SimCLR, arXiv 2002.05709, appendix A.

use super::require_probability;
use fmicl_core::{Documented, Op, PixelOp, Result, Rng, Size, Transform, register, require};
use serde::{Deserialize, Serialize};

/// torchvision's `RandomApply([ColorJitter(brightness, contrast, saturation, hue)], p)`. The defaults are SimCLR's
/// for CIFAR-10, strength 0.5; an adjustment of 0 is left out.
#[derive(Debug, Documented, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jitter {
    /// Brightness: the factor is uniform on `[max(0, 1 - brightness), 1 + brightness]`; at least 0.
    pub brightness: f64,
    /// Contrast: the factor is uniform on `[max(0, 1 - contrast), 1 + contrast]`; at least 0.
    pub contrast: f64,
    /// Saturation: the factor is uniform on `[max(0, 1 - saturation), 1 + saturation]`; at least 0.
    pub saturation: f64,
    /// Hue: the shift is uniform on `[-hue, hue]`, in turns of the circle; from 0 to 0.5.
    pub hue: f64,
    /// The probability that the view is jittered at all, from 0 to 1.
    pub p: f64,
}

impl Default for Jitter {
    fn default() -> Self {
        Jitter {
            brightness: 0.4,
            contrast: 0.4,
            saturation: 0.4,
            hue: 0.1,
            p: 0.8,
        }
    }
}

register!(
    Transform,
    "jitter",
    Jitter,
    "torchvision's ColorJitter: brightness, contrast, saturation and hue in random order"
);

impl Transform for Jitter {
    fn validate(&self) -> Result<()> {
        let strengths = [
            ("brightness", self.brightness),
            ("contrast", self.contrast),
            ("saturation", self.saturation),
        ];
        for (key, strength) in strengths {
            require((0.0..=100.0).contains(&strength), key, || {
                format!("{strength} is not a strength of at least 0")
            })?;
        }
        require((0.0..=0.5).contains(&self.hue), "hue", || {
            format!("{} is not from 0 to 0.5", self.hue)
        })?;
        require_probability(self.p)
    }

    fn validate_for_gray(&self) -> Result<()> {
        for (key, strength) in [("saturation", self.saturation), ("hue", self.hue)] {
            require(strength == 0.0, key, || {
                format!("{strength}, but views of one channel have no colours: leave it out, or set it to 0")
            })?;
        }
        Ok(())
    }

    fn validate_for_bands(&self, channels: usize) -> Result<()> {
        let of_colors = [
            ("contrast", self.contrast),
            ("saturation", self.saturation),
            ("hue", self.hue),
        ];
        for (key, strength) in of_colors {
            require(strength == 0.0, key, || {
                format!(
                    "{strength}, which is of colours, and views of {channels} channels have none: leave it out, or set it to 0"
                )
            })?;
        }
        Ok(())
    }

    fn draw(&self, _size: Size, rng: &mut Rng) -> Op {
        match rng.chance(self.p) {
            true => Op::Pixels(self.adjustments(rng)),
            false => Op::Keep,
        }
    }
}

impl Jitter {
    /// The adjustments of a view, in the order in which they apply.
    fn adjustments(&self, rng: &mut Rng) -> Vec<PixelOp> {
        let mut order = [0, 1, 2, 3];
        rng.shuffle(&mut order);
        let mut factor = |strength: f64| rng.uniform((1.0 - strength).max(0.0), 1.0 + strength) as f32;
        let factors = [self.brightness, self.contrast, self.saturation].map(&mut factor);
        let turn = rng.uniform(-self.hue, self.hue);
        let adjustment = |which: usize| match which {
            0 => (self.brightness, PixelOp::Brightness(factors[0])),
            1 => (self.contrast, PixelOp::Contrast(factors[1])),
            2 => (self.saturation, PixelOp::Saturation(factors[2])),
            _ => (self.hue, PixelOp::Hue(turn)),
        };
        let adjustments = order.into_iter().map(adjustment);
        adjustments
            .filter(|(strength, _)| *strength > 0.0)
            .map(|(_, op)| op)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_transform;

    fn drawn(jitter: &Jitter, rng: &mut Rng) -> Vec<PixelOp> {
        match jitter.draw(Size { width: 1, height: 1 }, rng) {
            Op::Pixels(ops) => ops,
            _ => vec![],
        }
    }

    #[test]
    fn obeys_the_transform_laws() {
        check_transform(&Jitter::default());
    }

    #[test]
    fn order_and_factors_have_torchvisions_distributions() {
        let jitter = Jitter {
            brightness: 0.3,
            contrast: 1.5,
            saturation: 0.4,
            hue: 0.1,
            p: 0.8,
        };
        let (count, mut rng) = (24_000, Rng::new(&[11]));
        let (mut none, mut orders) = (0, std::collections::HashMap::new());
        // For each adjustment the least, the greatest and the sum of its factors.
        let mut ranges = [(f64::MAX, f64::MIN, 0.0); 4];
        for _ in 0..count {
            let factors = drawn(&jitter, &mut rng).into_iter().map(|op| match op {
                PixelOp::Brightness(factor) => (0, f64::from(factor)),
                PixelOp::Contrast(factor) => (1, f64::from(factor)),
                PixelOp::Saturation(factor) => (2, f64::from(factor)),
                PixelOp::Hue(factor) => (3, factor),
                _ => panic!("no adjustment of a jitter"),
            });
            let factors: Vec<_> = factors.collect();
            none += usize::from(factors.is_empty());
            for &(which, factor) in &factors {
                let (least, greatest, sum) = &mut ranges[which];
                (*least, *greatest, *sum) = (least.min(factor), greatest.max(factor), *sum + factor);
            }
            *orders
                .entry(factors.iter().map(|&(which, _)| which).collect::<Vec<_>>())
                .or_insert(0usize) += 1;
        }
        assert!(
            (none as f64 / count as f64 - 0.2).abs() < 0.015,
            "{none} of {count} are left alone"
        );
        orders.remove([].as_slice());
        assert_eq!(orders.len(), 24);
        assert!(orders.values().all(|seen| seen.abs_diff(800) < 150), "{orders:?}");
        for ((least, greatest, sum), (low, high)) in
            ranges
                .into_iter()
                .zip([(0.7, 1.3), (0.0, 2.5), (0.6, 1.4), (-0.1, 0.1)])
        {
            let width = high - low;
            assert!(
                low <= least + 1e-6 && least < low + 0.01 * width,
                "{least} where {low} is the least"
            );
            assert!(
                greatest <= high + 1e-6 && greatest > high - 0.01 * width,
                "{greatest} where {high} is the greatest"
            );
            let mean = sum / (count - none) as f64;
            assert!(
                (mean - (low + high) / 2.0).abs() < 0.015 * width,
                "the mean is {mean} on [{low}, {high}]"
            );
        }
    }

    #[test]
    fn an_adjustment_of_zero_is_left_out() {
        let jitter = Jitter {
            brightness: 0.0,
            contrast: 0.0,
            saturation: 0.0,
            hue: 0.1,
            p: 1.0,
        };
        let adjustments = drawn(&jitter, &mut Rng::new(&[1]));
        assert!(
            matches!(adjustments[..], [PixelOp::Hue(_)]),
            "{} adjustments",
            adjustments.len()
        );
    }

    #[test]
    fn ranges_are_checked() {
        assert!(Jitter::default().validate().is_ok());
        assert!(
            Jitter {
                hue: 0.6,
                ..Jitter::default()
            }
            .validate()
            .is_err()
        );
        assert!(
            Jitter {
                p: -0.1,
                ..Jitter::default()
            }
            .validate()
            .is_err()
        );
        assert!(
            Jitter {
                contrast: f64::NAN,
                ..Jitter::default()
            }
            .validate()
            .is_err()
        );
    }
}
