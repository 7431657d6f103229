//! Gaussian blur, torchvision's `GaussianBlur` in a `RandomApply`.
//!
//! `k(x) = exp(-x^2 / 2 sigma^2) / sum`, the image reflected at its edges, the result rounded. The two dimensions are
//! done one after the other.

use crate::{Planes, Rng};
use fmicl_core::{Result, require};
use serde::{Deserialize, Serialize};

/// torchvision's `RandomApply([GaussianBlur(kernel, sigma)], p)`. The defaults are SimCLR's for ImageNet at 224 px.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Blur {
    /// The side of the kernel in pixels, odd; its half must be less than the view's side. SimCLR: a tenth of the side.
    pub kernel: usize,
    /// The least and the greatest standard deviation in pixels, uniform between; above 0.
    pub sigma: [f64; 2],
    /// The probability that the view is blurred, from 0 to 1.
    pub p: f64,
}

impl Default for Blur {
    fn default() -> Self {
        Blur {
            kernel: 23,
            sigma: [0.1, 2.0],
            p: 0.5,
        }
    }
}

impl Blur {
    /// Checks the ranges, for views of `size` x `size`.
    ///
    /// # Errors
    /// [`fmicl_core::Error::Config`] at the option.
    pub fn validate(&self, size: usize) -> Result<()> {
        let Blur {
            kernel,
            sigma: [least, greatest],
            p,
        } = *self;
        require(kernel % 2 == 1, "kernel", || format!("{kernel} is not odd"))?;
        require(kernel / 2 < size, "kernel", || {
            format!(
                "{kernel} is too large for views of {size} pixels; at most {} would work",
                2 * size - 1
            )
        })?;
        require(1e-3 <= least && least <= greatest && greatest <= 1e3, "sigma", || {
            format!("[{least}, {greatest}] is not a range above 0")
        })?;
        require((0.0..=1.0).contains(&p), "p", || format!("{p} is not a probability"))
    }

    /// The sigma of a view, or `None` where it is not blurred.
    pub fn sample(&self, rng: &mut Rng) -> Option<f64> {
        rng.chance(self.p).then(|| rng.uniform(self.sigma[0], self.sigma[1]))
    }
}

/// Blurs with a `kernel` x `kernel` Gaussian of standard deviation `sigma`; `kernel / 2` is less than both sides.
pub fn gaussian_blur(image: &mut Planes, kernel: usize, sigma: f64) {
    let weights = weights(kernel, sigma as f32);
    let half = weights.len() / 2;
    let (width, height) = (image.width, image.height);
    let mut rows = vec![0f32; width * height];
    let mut padded = vec![0f32; width + 2 * half];
    let mut sums = vec![0f32; width];
    for plane in image.split_mut() {
        for (row, out) in plane.chunks_exact(width).zip(rows.chunks_exact_mut(width)) {
            for (i, value) in padded.iter_mut().enumerate() {
                *value = f32::from(row[reflect(i as isize - half as isize, width)]);
            }
            out.fill(0.0);
            for (tap, &weight) in weights.iter().enumerate() {
                out.iter_mut()
                    .zip(&padded[tap..])
                    .for_each(|(out, value)| *out += weight * value);
            }
        }
        for (y, out) in plane.chunks_exact_mut(width).enumerate() {
            sums.fill(0.0);
            for (tap, &weight) in weights.iter().enumerate() {
                let from = reflect((y + tap) as isize - half as isize, height);
                sums.iter_mut()
                    .zip(&rows[from * width..])
                    .for_each(|(sum, value)| *sum += weight * value);
            }
            out.iter_mut().zip(&sums).for_each(|(out, sum)| *out = round(*sum));
        }
    }
}

/// Halves to even, as torch.
#[inline(always)]
#[expect(clippy::manual_clamp, reason = "`clamp` lets a NaN through")]
fn round(value: f32) -> u8 {
    // Adding and taking away 1.5 * 2^23 leaves no fraction bits; `round_ties_even` would be a call.
    const MAGIC: f32 = 12_582_912.0;
    let rounded = ((value + MAGIC) - MAGIC).max(0.0).min(255.0);
    // SAFETY: in 0..=255, and not NaN: `max` returns its other side for one.
    unsafe { rounded.to_int_unchecked::<i32>() as u8 }
}

/// The index within `0..length` that `index` is reflected to; the edge itself is not repeated.
fn reflect(index: isize, length: usize) -> usize {
    let index = index.unsigned_abs();
    if index < length {
        index
    } else {
        2 * (length - 1) - index
    }
}

/// One dimension of the kernel, without tails that sum to less than 1e-4: they change a value by less than 0.1.
fn weights(kernel: usize, sigma: f32) -> Vec<f32> {
    let half = (kernel / 2) as isize;
    let density: Vec<f32> = (-half..=half)
        .map(|x| (-0.5 * (x as f32 / sigma).powi(2)).exp())
        .collect();
    let sum: f32 = density.iter().sum();
    let weights: Vec<f32> = density.iter().map(|density| density / sum).collect();
    let mut tail = 0.0;
    let dropped = weights
        .iter()
        .take_while(|&&weight| {
            tail += weight;
            tail < 1e-4
        })
        .count();
    weights[dropped..kernel - dropped].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transforms::golden::compare;

    #[test]
    fn is_within_one_of_torchvision() {
        assert!(compare("blur").1 <= 1);
    }

    #[test]
    fn sigma_and_choice_have_torchvisions_distributions() {
        let (blur, mut rng) = (Blur::default(), Rng::new(&[2]));
        let sigmas: Vec<f64> = (0..20_000).filter_map(|_| blur.sample(&mut rng)).collect();
        assert!(
            sigmas.len().abs_diff(10_000) < 360,
            "{} of 20000 are blurred",
            sigmas.len()
        );
        assert!(sigmas.iter().all(|sigma| (0.1..2.0).contains(sigma)));
        let mean = sigmas.iter().sum::<f64>() / sigmas.len() as f64;
        assert!((mean - 1.05).abs() < 0.03, "{mean}");
    }

    #[test]
    fn ranges_are_checked() {
        let error = |blur: Blur, size| blur.validate(size).unwrap_err().to_string();
        assert_eq!(
            error(
                Blur {
                    kernel: 4,
                    ..Blur::default()
                },
                32
            ),
            "kernel: 4 is not odd"
        );
        let large = "kernel: 65 is too large for views of 32 pixels; at most 63 would work";
        assert_eq!(
            error(
                Blur {
                    kernel: 65,
                    ..Blur::default()
                },
                32
            ),
            large
        );
        assert_eq!(
            error(
                Blur {
                    sigma: [0.0, 1.0],
                    ..Blur::default()
                },
                32
            ),
            "sigma: [0, 1] is not a range above 0"
        );
        assert!(
            Blur {
                kernel: 63,
                ..Blur::default()
            }
            .validate(32)
            .is_ok()
        );
    }
}
