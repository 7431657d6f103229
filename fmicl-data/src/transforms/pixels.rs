//! Operations on single pixels, several steps in one pass over the image.
//!
//! Between the steps values are whole numbers from 0 to 255, as if they were stored, but held as f32.

use super::color::{blend, byte, luma, over_255};
use super::hue::turn_hue;
use super::{Normalize, horizontal_flip};
use fmicl_core::{PixelOp, Planes, kernel};

/// A step for which a pixel needs no other pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    /// `gray + factor * (value - gray)`.
    Blend { gray: f32, factor: f32 },
    /// The same with the pixel's own luma for gray.
    Saturate { factor: f32 },
    /// Turns the hue by `shift / 255` of the circle, 0 to 255.
    Hue { shift: f32 },
    /// The luma in all channels.
    Gray,
}

/// An image and the steps that it still needs; they are done together, when something asks for their result.
pub(crate) struct Pending<'a> {
    image: &'a mut Planes,
    steps: Vec<Step>,
}

impl<'a> Pending<'a> {
    pub(crate) fn new(image: &'a mut Planes) -> Self {
        Pending {
            image,
            steps: Vec::with_capacity(5),
        }
    }

    /// Adds an operation.
    pub(crate) fn push(&mut self, op: &PixelOp) {
        let step = match *op {
            PixelOp::Brightness(factor) => Step::Blend { gray: 0.0, factor },
            PixelOp::Contrast(factor) => Step::Blend {
                gray: self.mean_luma(),
                factor,
            },
            PixelOp::Saturation(factor) => Step::Saturate { factor },
            // numpy: truncated toward zero, then modulo 256.
            PixelOp::Hue(factor) => Step::Hue {
                shift: f32::from((factor * 255.0) as i32 as u8),
            },
            PixelOp::Gray => Step::Gray,
            // Bytes for bytes: among the steps they would cost more, and keep the compiler from vectorising those.
            PixelOp::Table(ref table) => {
                let values = self.flush().data.iter_mut();
                return values.for_each(|value| *value = table[usize::from(*value)]);
            }
            PixelOp::Function(ref change) => {
                let [red, green, blue] = self.flush().split_mut();
                let pixels = red.iter_mut().zip(green).zip(blue);
                return pixels.for_each(|((red, green), blue)| [*red, *green, *blue] = change([*red, *green, *blue]));
            }
        };
        self.steps.push(step);
    }

    /// Does the steps so far.
    fn flush(&mut self) -> &mut Planes {
        if !self.steps.is_empty() {
            in_place(self.image.split_mut(), &self.steps, false);
            self.steps.clear();
        }
        self.image
    }

    /// Mirrors the image left and right, which changes nothing about the steps that it still needs.
    pub(crate) fn mirror(&mut self) {
        horizontal_flip(self.image);
    }

    /// The mean luma of what the steps so far make, rounded: it depends on every pixel, so they are done now.
    fn mean_luma(&mut self) -> f32 {
        let pixels = self.image.width * self.image.height;
        let sum = in_place(self.image.split_mut(), &self.steps, true);
        self.steps.clear();
        f32::from((sum as f64 / pixels as f64 + 0.5) as u8)
    }

    /// Does the steps.
    pub(crate) fn finish(mut self) -> &'a mut Planes {
        self.flush();
        self.image
    }

    /// Does the steps and writes normalised floats to `out`, `channels * height * width`; the image stays as it is.
    pub(crate) fn normalize(self, normalize: &Normalize, out: &mut [f32]) {
        to_floats(self.image.split(), &self.steps, normalize, out);
    }
}

impl Normalize {
    /// Writes the image to `out`, `channels * height * width` floats in the order channel, row, column.
    pub fn apply(&self, image: &Planes, out: &mut [f32]) {
        to_floats(image.split(), &[], self, out);
    }
}

/// Does the operations, one after the other.
pub fn apply_pixels(image: &mut Planes, ops: &[PixelOp]) {
    let mut pending = Pending::new(image);
    ops.iter().for_each(|op| pending.push(op));
    pending.finish();
}

/// Pixels done at once. It divides the views of 32 and of 224 pixels a side.
const N: usize = 64;

/// Whole numbers from 0 to 255.
struct Block {
    red: [f32; N],
    green: [f32; N],
    blue: [f32; N],
}

impl Block {
    /// Takes the pixels from `start` on; what is left of the block is black.
    #[inline(always)]
    fn load(&mut self, planes: [&[u8]; 3], start: usize) {
        let channels = [&mut self.red, &mut self.green, &mut self.blue];
        for (channel, plane) in channels.into_iter().zip(planes) {
            if let Some(values) = plane[start..].first_chunk::<N>() {
                for i in 0..N {
                    channel[i] = f32::from(values[i]);
                }
            } else {
                *channel = [0.0; N];
                for (channel, &value) in channel.iter_mut().zip(&plane[start..]) {
                    *channel = f32::from(value);
                }
            }
        }
    }

    #[inline(always)]
    fn store(&self, planes: &mut [&mut [u8]; 3], start: usize) {
        for (channel, plane) in [&self.red, &self.green, &self.blue].into_iter().zip(planes) {
            if let Some(values) = plane[start..].first_chunk_mut::<N>() {
                for i in 0..N {
                    values[i] = byte(channel[i]);
                }
            } else {
                for (value, &channel) in plane[start..].iter_mut().zip(channel) {
                    *value = byte(channel);
                }
            }
        }
    }

    #[inline(always)]
    fn apply(&mut self, step: Step) {
        let Block { red, green, blue } = self;
        match step {
            Step::Blend { gray, factor } => {
                for i in 0..N {
                    red[i] = blend(gray, red[i], factor);
                    green[i] = blend(gray, green[i], factor);
                    blue[i] = blend(gray, blue[i], factor);
                }
            }
            Step::Saturate { factor } => {
                for i in 0..N {
                    let gray = luma(red[i], green[i], blue[i]);
                    red[i] = blend(gray, red[i], factor);
                    green[i] = blend(gray, green[i], factor);
                    blue[i] = blend(gray, blue[i], factor);
                }
            }
            Step::Hue { shift } => {
                for i in 0..N {
                    (red[i], green[i], blue[i]) = turn_hue(red[i], green[i], blue[i], shift);
                }
            }
            Step::Gray => {
                for i in 0..N {
                    let gray = luma(red[i], green[i], blue[i]);
                    (red[i], green[i], blue[i]) = (gray, gray, gray);
                }
            }
        }
    }

    /// The sum of the lumas of the first `count` pixels.
    #[inline(always)]
    fn sum_of_luma(&self, count: usize) -> u64 {
        let lumas: [f32; N] = std::array::from_fn(|i| luma(self.red[i], self.green[i], self.blue[i]));
        if count < N {
            return lumas[..count].iter().map(|&luma| luma as u64).sum();
        }
        let mut sums = [0.0; 16];
        for lumas in lumas.as_chunks::<16>().0 {
            for i in 0..16 {
                sums[i] += lumas[i];
            }
        }
        // Whole numbers far below 2^24, so their order does not matter.
        sums.iter().sum::<f32>() as u64
    }
}

impl Default for Block {
    fn default() -> Self {
        Block {
            red: [0.0; N],
            green: [0.0; N],
            blue: [0.0; N],
        }
    }
}

kernel! {
    /// Does the steps; where `sum` is set, returns the sum of the lumas of the result.
    fn in_place(planes: [&mut [u8]; 3], steps: &[Step], sum: bool) -> u64 {
        let mut planes = planes;
        let mut block = Block::default();
        let mut total = 0;
        for start in (0..planes[0].len()).step_by(N) {
            block.load([&*planes[0], &*planes[1], &*planes[2]], start);
            for &step in steps {
                block.apply(step);
            }
            if !steps.is_empty() {
                block.store(&mut planes, start);
            }
            if sum {
                total += block.sum_of_luma(planes[0].len() - start);
            }
        }
        total
    }
}

kernel! {
    /// Does the steps and normalises: `(value / 255 - mean) / std`, with torch's roundings; as many channels as there are means.
    pub(super) fn to_floats(planes: [&[u8]; 3], steps: &[Step], normalize: &Normalize, out: &mut [f32]) {
        let size = planes[0].len();
        let mut block = Block::default();
        for start in (0..size).step_by(N) {
            block.load(planes, start);
            for &step in steps {
                block.apply(step);
            }
            let channels = [&block.red, &block.green, &block.blue].into_iter().enumerate();
            for ((c, channel), (&mean, &std)) in channels.zip(normalize.mean.iter().zip(&normalize.std)) {
                let out = &mut out[c * size..][..size][start..];
                if let Some(out) = out.first_chunk_mut::<N>() {
                    for i in 0..N {
                        out[i] = (over_255(channel[i]) - mean) / std;
                    }
                } else {
                    for (out, &value) in out.iter_mut().zip(channel) {
                        *out = (over_255(value) - mean) / std;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::at_every_level;

    #[test]
    fn steps_together_equal_steps_apart_and_without_simd() {
        let ops = [
            PixelOp::Saturation(1.7),
            PixelOp::Table(Box::new(std::array::from_fn(|value| (value * 7 / 3) as u8))),
            PixelOp::Contrast(0.4),
            PixelOp::Hue(-0.2),
            PixelOp::Function(Box::new(|[red, green, blue]| [blue, red / 2, green ^ 5])),
            PixelOp::Brightness(1.3),
            PixelOp::Gray,
        ];
        // Not a multiple of the block.
        let mut image = Planes::new(37, 11);
        image
            .data
            .iter_mut()
            .enumerate()
            .for_each(|(i, value)| *value = (i * i / 5 + i) as u8);
        let run = |together: bool| {
            let mut image = image.clone();
            let mut pending = Pending::new(&mut image);
            for op in &ops {
                pending.push(op);
                if !together {
                    pending = Pending::new(pending.finish());
                }
            }
            let mut floats = vec![0.0; 3 * 37 * 11];
            match together {
                true => pending.normalize(&Normalize::default(), &mut floats),
                false => Normalize::default().apply(pending.finish(), &mut floats),
            }
            floats
        };
        assert!(at_every_level(|| run(true)) == run(false));
    }

    #[test]
    fn tables_and_functions_see_whole_values_of_the_step_before_and_mirrors_pass_them() {
        let mut image = Planes::new(3, 1);
        image.data = vec![10, 20, 255, 0, 99, 7, 1, 2, 3];
        let ops = [
            PixelOp::Brightness(0.5),
            PixelOp::Table(Box::new(std::array::from_fn(|value| 255 - value as u8))),
            PixelOp::Function(Box::new(|[red, green, blue]| [green, blue, red])),
        ];
        let mut pending = Pending::new(&mut image);
        ops.iter().for_each(|op| pending.push(op));
        pending.mirror();
        // Half of each, cut off, from 255; then green, blue, red; then from right to left.
        let found = &pending.finish().data;
        assert_eq!(found, &[252, 206, 255, 254, 254, 255, 128, 245, 250]);
    }
}
