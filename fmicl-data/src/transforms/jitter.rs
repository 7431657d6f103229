//! Colour jitter: four adjustments in random order.
//!
//! Source: torchvision's `ColorJitter` in a `RandomApply`; SimCLR, arXiv 2002.05709, appendix A.

use super::pixels::Pending;
use crate::{Planes, Rng};
use fmicl_core::{Result, require};
use serde::{Deserialize, Serialize};

/// torchvision's `RandomApply([ColorJitter(brightness, contrast, saturation, hue)], p)`. The defaults are SimCLR's
/// for CIFAR-10, strength 0.5; an adjustment of 0 is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jitter {
    /// The factor is uniform on `[max(0, 1 - brightness), 1 + brightness]`; at least 0.
    pub brightness: f64,
    /// The factor is uniform on `[max(0, 1 - contrast), 1 + contrast]`; at least 0.
    pub contrast: f64,
    /// The factor is uniform on `[max(0, 1 - saturation), 1 + saturation]`; at least 0.
    pub saturation: f64,
    /// The shift is uniform on `[-hue, hue]`, in turns of the circle; from 0 to 0.5.
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

/// One adjustment with its factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Adjust {
    /// torchvision's `adjust_brightness`: 0 gives black, 1 the image itself; at least 0 and finite.
    Brightness(f32),
    /// torchvision's `adjust_contrast`: 0 gives the mean gray, 1 the image itself; at least 0 and finite.
    Contrast(f32),
    /// torchvision's `adjust_saturation`: 0 gives gray, 1 the image itself; at least 0 and finite.
    Saturation(f32),
    /// torchvision's `adjust_hue`: turns it by so much of the circle, from -0.5 to 0.5.
    Hue(f64),
}

impl Adjust {
    /// Applies the adjustment.
    pub fn apply(self, image: &mut Planes) {
        let mut pending = Pending::new(image);
        pending.adjust(self);
        pending.finish();
    }
}

impl Jitter {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`fmicl_core::Error::Config`] at the option.
    pub fn validate(&self) -> Result<()> {
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
        require((0.0..=1.0).contains(&self.p), "p", || {
            format!("{} is not a probability", self.p)
        })
    }

    /// The adjustments of a view, in the order in which they apply: none with probability `1 - p`.
    pub fn sample(&self, rng: &mut Rng) -> Vec<Adjust> {
        if !rng.chance(self.p) {
            return Vec::new();
        }
        let mut order = [0, 1, 2, 3];
        rng.shuffle(&mut order);
        let mut factor = |strength: f64| rng.uniform((1.0 - strength).max(0.0), 1.0 + strength) as f32;
        let adjustments = [
            (self.brightness, Adjust::Brightness(factor(self.brightness))),
            (self.contrast, Adjust::Contrast(factor(self.contrast))),
            (self.saturation, Adjust::Saturation(factor(self.saturation))),
            (self.hue, Adjust::Hue(rng.uniform(-self.hue, self.hue))),
        ];
        order
            .iter()
            .map(|&i| adjustments[i])
            .filter(|&(strength, _)| strength > 0.0)
            .map(|(_, adjust)| adjust)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let adjustments = jitter.sample(&mut rng);
            let factors = adjustments.iter().map(|adjust| match *adjust {
                Adjust::Brightness(factor) => (0, f64::from(factor)),
                Adjust::Contrast(factor) => (1, f64::from(factor)),
                Adjust::Saturation(factor) => (2, f64::from(factor)),
                Adjust::Hue(factor) => (3, factor),
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
        let adjustments = jitter.sample(&mut Rng::new(&[1]));
        assert!(matches!(adjustments[..], [Adjust::Hue(_)]), "{adjustments:?}");
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
