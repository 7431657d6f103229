//! Convolution with a Gaussian.
//!
//! `k(x) = exp(-x^2 / 2 sigma^2) / sum`, the image reflected at its edges, the result rounded. The two dimensions are
//! done one after the other.

use super::color::{byte, max, min};
use fmicl_core::{Planes, kernel};

/// Blurs with a `kernel` x `kernel` Gaussian of standard deviation `sigma`; `kernel / 2` is less than both sides.
pub fn gaussian_blur(image: &mut Planes, kernel: usize, sigma: f64) {
    Blurrer::default().blur(image, kernel, sigma);
}

/// Blurs one image after another in the same memory.
#[derive(Default)]
pub(super) struct Blurrer {
    /// A row with its reflection at both ends.
    padded: Vec<f32>,
    /// The plane after its rows are blurred.
    rows: Vec<f32>,
}

impl Blurrer {
    /// As [`gaussian_blur`].
    pub fn blur(&mut self, image: &mut Planes, kernel: usize, sigma: f64) {
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
    use fmicl_core::testing::at_every_level;

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
}
