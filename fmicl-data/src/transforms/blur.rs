//! Gaussian blur, torchvision's `GaussianBlur` in a `RandomApply`.
//!
//! `k(x) = exp(-x^2 / 2 sigma^2) / sum`, the image reflected at its edges, the result rounded. The two dimensions are
//! done one after the other.

use super::color::{byte, max, min};
use super::require_probability;
use fmicl_core::{Documented, Op, Planes, Result, Rng, Size, Transform, kernel, register, require};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// torchvision's `RandomApply([GaussianBlur(kernel, sigma)], p)`. The defaults are SimCLR's.
#[derive(Debug, Documented, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Blur {
    /// The side of the kernel in pixels, odd; its half must be less than the view's side. Absent by default: SimCLR's, a tenth of the
    /// view's side (23 for 224 pixels, 9 for 96), and at least 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<usize>,
    /// The least and the greatest standard deviation in pixels, uniform between; above 0.
    pub sigma: [f64; 2],
    /// The probability that the view is blurred, from 0 to 1.
    pub p: f64,
}

impl Default for Blur {
    fn default() -> Self {
        Blur {
            kernel: None,
            sigma: [0.1, 2.0],
            p: 0.5,
        }
    }
}

register!(Transform, "blur", Blur, "torchvision's GaussianBlur");

impl Transform for Blur {
    fn validate(&self) -> Result<()> {
        let Blur {
            kernel,
            sigma: [least, greatest],
            p,
        } = *self;
        require(kernel.is_none_or(|kernel| kernel % 2 == 1), "kernel", || {
            format!("{} is not odd", kernel.unwrap_or_default())
        })?;
        require(1e-3 <= least && least <= greatest && greatest <= 1e3, "sigma", || {
            format!("[{least}, {greatest}] is not a range above 0")
        })?;
        require_probability(p)
    }

    fn validate_for(&self, size: usize) -> Result<()> {
        let kernel = self.kernel_for(size);
        require(kernel / 2 < size, "kernel", || {
            format!(
                "{kernel} is too large for views of {size} pixels; at most {} would work",
                2 * size - 1
            )
        })
    }

    fn draw(&self, size: Size, rng: &mut Rng) -> Op {
        let kernel = self.kernel_for(size.width);
        match self.sample(rng) {
            Some(sigma) => Op::Whole(Box::new(move |image| {
                BLURRER.with_borrow_mut(|blurrer| blurrer.blur(image, kernel, sigma));
            })),
            None => Op::Keep,
        }
    }
}

thread_local! {
    /// The memory of a thread.
    static BLURRER: RefCell<Blurrer> = RefCell::default();
}

impl Blur {
    /// The side of the kernel for views of `size` x `size`: SimCLR's code rounds a tenth of the size down to an even number
    /// and adds one. Below 20 pixels that is a kernel of one pixel, which blurs nothing.
    pub fn kernel_for(&self, size: usize) -> usize {
        self.kernel.unwrap_or((size / 20 * 2 + 1).max(3))
    }

    /// The sigma of a view, or `None` where it is not blurred.
    fn sample(&self, rng: &mut Rng) -> Option<f64> {
        rng.chance(self.p).then(|| rng.uniform(self.sigma[0], self.sigma[1]))
    }
}

/// Blurs with a `kernel` x `kernel` Gaussian of standard deviation `sigma`; `kernel / 2` is less than both sides.
pub fn gaussian_blur(image: &mut Planes, kernel: usize, sigma: f64) {
    Blurrer::default().blur(image, kernel, sigma);
}

/// Blurs one image after another in the same memory.
#[derive(Default)]
struct Blurrer {
    /// A row with its reflection at both ends.
    padded: Vec<f32>,
    /// The plane after its rows are blurred.
    rows: Vec<f32>,
}

impl Blurrer {
    /// See [`gaussian_blur`].
    fn blur(&mut self, image: &mut Planes, kernel: usize, sigma: f64) {
        let weights = weights(kernel, sigma as f32);
        let half = weights.len() - 1;
        let (width, height) = (image.width, image.height);
        self.padded.resize(width + 2 * half, 0.0);
        self.rows.resize(width * height, 0.0);
        for plane in image.split_mut() {
            for (row, out) in plane.chunks_exact(width).zip(self.rows.chunks_exact_mut(width)) {
                pad(row, half, &mut self.padded);
                blur_row(&self.padded, &weights, out);
            }
            blur_columns(&self.rows, width, &weights, plane);
        }
    }
}

kernel! {
    /// To floats, with `half` values reflected at each end.
    fn pad(row: &[u8], half: usize, padded: &mut [f32]) {
        let width = row.len();
        for (value, &row) in padded[half..].iter_mut().zip(row) {
            *value = f32::from(row);
        }
        for i in 1..=half {
            padded[half - i] = f32::from(row[i]);
            padded[half + width - 1 + i] = f32::from(row[width - 1 - i]);
        }
    }
}

kernel! {
    fn blur_row(padded: &[f32], weights: &[f32], out: &mut [f32]) {
        let half = weights.len() - 1;
        let taps = |offset: usize| (&padded[half - offset..], &padded[half + offset..]);
        match out.len() {
            112.. => symmetric::<112, _>(weights, taps, out, |sum| sum),
            32.. => symmetric::<32, _>(weights, taps, out, |sum| sum),
            8.. => symmetric::<8, _>(weights, taps, out, |sum| sum),
            _ => symmetric::<1, _>(weights, taps, out, |sum| sum),
        }
    }
}

kernel! {
    fn blur_columns(rows: &[f32], width: usize, weights: &[f32], out: &mut [u8]) {
        let height = out.len() / width;
        for (y, out) in out.chunks_exact_mut(width).enumerate() {
            let row = |y: isize| &rows[reflect(y, height) * width..][..width];
            let taps = |offset: usize| (row(y as isize - offset as isize), row(y as isize + offset as isize));
            match width {
                112.. => symmetric::<112, _>(weights, taps, out, round),
                32.. => symmetric::<32, _>(weights, taps, out, round),
                8.. => symmetric::<8, _>(weights, taps, out, round),
                _ => symmetric::<1, _>(weights, taps, out, round),
            }
        }
    }
}

/// Each output is `weights[0]` times its own value and each further weight times the sum of the two values at its
/// distance. `taps` gives both for a distance, from the first output's on. `LANES` sums, at most as many as there are
/// outputs, stay in registers while the taps go by.
#[inline(always)]
fn symmetric<'a, const LANES: usize, T>(
    weights: &[f32],
    taps: impl Fn(usize) -> (&'a [f32], &'a [f32]),
    out: &mut [T],
    finish: impl Fn(f32) -> T,
) {
    for x in (0..out.len()).step_by(LANES) {
        // The last chunk overlaps the one before it.
        let x = x.min(out.len() - LANES);
        let mut sums = [0.0; LANES];
        for (offset, &weight) in weights.iter().enumerate() {
            // The centre is its own mirror image.
            let weight = if offset == 0 { weight / 2.0 } else { weight };
            let (before, after) = taps(offset);
            let (before, after) = (&before[x..][..LANES], &after[x..][..LANES]);
            for i in 0..LANES {
                sums[i] += weight * (before[i] + after[i]);
            }
        }
        let out = &mut out[x..][..LANES];
        for i in 0..LANES {
            out[i] = finish(sums[i]);
        }
    }
}

/// Halves to even, as torch.
#[inline(always)]
fn round(value: f32) -> u8 {
    // Adding and taking away 1.5 * 2^23 leaves no fraction bits; `round_ties_even` would be a call.
    const MAGIC: f32 = 12_582_912.0;
    // `max` returns its second argument for what is not a number.
    byte(min(max((value + MAGIC) - MAGIC, 0.0), 255.0))
}

/// The index within `0..length` that `index` is reflected to; the edge itself is not repeated.
#[inline(always)]
fn reflect(index: isize, length: usize) -> usize {
    let index = index.unsigned_abs();
    if index < length {
        index
    } else {
        2 * (length - 1) - index
    }
}

/// One dimension of the kernel from its centre on, without a tail that sums to less than 1e-4: the two change a value by
/// less than 0.1.
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
    weights[kernel / 2..kernel - dropped].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transforms::golden::compare;
    use fmicl_core::testing::{at_every_level, check_transform};

    #[test]
    fn obeys_the_transform_laws() {
        check_transform(&Blur::default());
        check_transform(&Blur {
            kernel: Some(23),
            ..Blur::default()
        });
    }

    #[test]
    fn is_within_one_of_torchvision() {
        assert!(compare("blur").1 <= 1);
    }

    #[test]
    fn nothing_depends_on_simd() {
        for (width, height) in [(45, 33), (32, 12), (9, 31)] {
            let mut image = Planes::new(width, height);
            image
                .data
                .iter_mut()
                .enumerate()
                .for_each(|(i, value)| *value = (i * i / 7 + i) as u8);
            let blurred = at_every_level(|| {
                let mut image = image.clone();
                gaussian_blur(&mut image, 9, 1.3);
                image
            });
            assert_ne!(blurred, image);
        }
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
    fn without_a_kernel_it_is_simclrs_for_the_size_of_the_views() {
        // `kernel_size = height // 10; radius = int(kernel_size / 2); kernel_size = radius * 2 + 1` in
        // google-research/simclr, data_util.py.
        let of_simclr = [(224, 23), (160, 17), (96, 9), (64, 7), (40, 5), (32, 3), (20, 3)];
        for (size, kernel) in of_simclr.into_iter().chain([(19, 3), (8, 3), (2, 3)]) {
            assert_eq!(Blur::default().kernel_for(size), kernel, "{size}");
            Blur::default().validate_for(size).unwrap();
        }
        let given = Blur {
            kernel: Some(5),
            ..Blur::default()
        };
        assert_eq!(given.kernel_for(224), 5);
    }

    #[test]
    fn ranges_are_checked() {
        let error = |blur: Blur, size| {
            let checked = blur.validate().and_then(|()| blur.validate_for(size));
            checked.unwrap_err().to_string()
        };
        assert_eq!(
            error(
                Blur {
                    kernel: Some(4),
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
                    kernel: Some(65),
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
                kernel: Some(63),
                ..Blur::default()
            }
            .validate_for(32)
            .is_ok()
        );
    }
}
