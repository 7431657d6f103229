//! Antialiased bilinear resize of a crop.
//!
//! Each output value is a weighted mean of the inputs under a triangle as wide as the scale, once along rows and once
//! along columns, each in fixed point with 22 bits and rounded to 8. Source: Pillow 13's `Image.resize` with
//! `BILINEAR`, which torchvision's `resize` and `resized_crop` call.

use super::filter::{BITS, Filter, Filters};
use crate::Planes;
use crate::simd::kernel;
use fmicl_core::{Image, Patch, Region};

/// Crops `image` to `area`, then resizes it to `width` x `height`: torchvision's `resized_crop`.
///
/// The filter sees nothing outside the crop.
pub fn resized_crop(image: &Image, area: Region, width: usize, height: usize) -> Planes {
    resize(&image.into(), area, width, height)
}

/// Resizes so that the shorter side has `size` pixels: torchvision's `Resize(size)`.
pub fn resize_shorter_side(image: &Patch, size: usize) -> Planes {
    let Region { width, height, .. } = image.region;
    // As in Python: the product is divided in f64 and truncated.
    let longer = |long: usize, short: usize| ((size * long) as f64 / short as f64) as usize;
    let (to_width, to_height) = if width <= height {
        (size, longer(height, width))
    } else {
        (longer(width, height), size)
    };
    resize(image, image.region, to_width, to_height)
}

/// Resizes so that the shorter side has `resize` pixels and keeps the centre, `size` x `size`, `size <= resize`:
/// torchvision's `Resize(resize)` and `CenterCrop(size)`.
pub fn resize_and_center_crop(image: &Patch, resize: usize, size: usize) -> Planes {
    let resized = resize_shorter_side(image, resize);
    // Python's round: halves to even.
    let start = |length: usize| ((length - size) as f64 / 2.0).round_ties_even() as usize;
    let (top, left) = (start(resized.height), start(resized.width));
    let mut center = Planes::new(size, size);
    for (plane, center) in resized.split().into_iter().zip(center.split_mut()) {
        let rows = plane.chunks_exact(resized.width).skip(top);
        for (row, center) in rows.zip(center.chunks_exact_mut(size)) {
            center.copy_from_slice(&row[left..left + size]);
        }
    }
    center
}

fn resize(patch: &Patch, area: Region, width: usize, height: usize) -> Planes {
    let mut out = Planes::new(width, height);
    Resizer::default().resize(Interleaved::new(patch, area), false, &mut out);
    out
}

/// A part of an interleaved RGB image.
#[derive(Clone, Copy)]
pub(crate) struct Interleaved<'a> {
    /// From the first byte of the part on.
    pixels: &'a [u8],
    /// Bytes from row to row.
    stride: usize,
    width: usize,
    height: usize,
}

impl<'a> Interleaved<'a> {
    /// The part `area`, which lies within `patch`.
    pub(crate) fn new(patch: &'a Patch, area: Region) -> Self {
        let (pixels, stride) = patch.rows(area);
        Interleaved {
            pixels,
            stride,
            width: area.width,
            height: area.height,
        }
    }

    /// The bytes of a row.
    #[inline(always)]
    fn row(&self, y: usize) -> &'a [u8] {
        &self.pixels[y * self.stride..][..self.width * 3]
    }
}

/// Resizes one image after another in the same memory.
#[derive(Default)]
pub(crate) struct Resizer {
    filters: Filters,
    /// The image between the two passes.
    between: Vec<u8>,
    /// Rows on their side.
    block: Vec<[u8; ROWS]>,
}

impl Resizer {
    /// Resizes `input` to the size of `out`, and mirrors it left and right if `mirrored` is set.
    pub(crate) fn resize(&mut self, input: Interleaved, mirrored: bool, out: &mut Planes) {
        let (width, height) = (out.width, out.height);
        let (narrower, lower) = (
            input.width as isize - width as isize,
            input.height as isize - height as isize,
        );
        // Rounding in between makes the order matter.
        if lower > 0 && lower > 2 * narrower {
            let stride = input.width * 3;
            self.between.resize(stride * height, 0);
            let filter = self.filters.get(input.height, height);
            vertical(input.pixels, input.stride, stride, filter, &mut self.between);
            let pixels = std::mem::take(&mut self.between);
            let rows = Interleaved {
                pixels: &pixels,
                stride,
                width: input.width,
                height,
            };
            self.rows(rows, mirrored, width, &mut out.data);
            self.between = pixels;
        } else if lower == 0 {
            self.rows(input, mirrored, width, &mut out.data);
        } else {
            let mut between = std::mem::take(&mut self.between);
            between.resize(3 * width * input.height, 0);
            self.rows(input, mirrored, width, &mut between);
            let filter = self.filters.get(input.height, height);
            let planes = between.chunks_exact(width * input.height);
            for (plane, out) in planes.zip(out.data.chunks_exact_mut(width * height)) {
                vertical(plane, width, width, filter, out);
            }
            self.between = between;
        }
    }

    /// Resizes the rows to `width` pixels and takes the channels apart.
    fn rows(&mut self, input: Interleaved, mirrored: bool, width: usize, out: &mut [u8]) {
        if input.width == width {
            deinterleave(input, mirrored, out);
        } else {
            self.block.resize(input.width * 3, [0; ROWS]);
            horizontal(
                input,
                self.filters.get(input.width, width),
                mirrored,
                &mut self.block,
                out,
            );
        }
    }
}

/// Rounds a fixed-point sum. Weights are not negative and sum to one but for their rounding.
#[inline(always)]
fn round(sum: i32) -> u8 {
    (sum >> BITS).min(255) as u8
}

const HALF: i32 = 1 << (BITS - 1);

/// Rows done at once: a block of them on its side makes the sums of a pixel's channels contiguous.
const ROWS: usize = 8;

kernel! {
    /// Resizes the columns of rows of `length` bytes, `stride` apart; the bytes of a row do not mix.
    fn vertical(pixels: &[u8], stride: usize, length: usize, filter: &Filter, out: &mut [u8]) {
        match length {
            112.. => vertical_by::<112>(pixels, stride, length, filter, out),
            32.. => vertical_by::<32>(pixels, stride, length, filter, out),
            8.. => vertical_by::<8>(pixels, stride, length, filter, out),
            _ => vertical_by::<1>(pixels, stride, length, filter, out),
        }
    }
}

/// As [`vertical`], with so many sums, at most `length`, that stay in registers while the taps go by.
#[inline(always)]
fn vertical_by<const LANES: usize>(pixels: &[u8], stride: usize, length: usize, filter: &Filter, out: &mut [u8]) {
    for (y, row) in out.chunks_exact_mut(length).enumerate() {
        let (first, weights) = filter.output(y);
        for chunk in (0..length).step_by(LANES) {
            // The last chunk overlaps the one before it.
            let chunk = chunk.min(length - LANES);
            let start = first * stride + chunk;
            let mut sums = [HALF; LANES];
            for (tap, &weight) in weights.iter().enumerate() {
                let values: &[u8] = &pixels[start + tap * stride..][..LANES];
                for i in 0..LANES {
                    sums[i] += i32::from(values[i]) * weight;
                }
            }
            let out = &mut row[chunk..][..LANES];
            for i in 0..LANES {
                out[i] = round(sums[i]);
            }
        }
    }
}

kernel! {
    /// Resizes the rows and takes the channels apart. `block` has room for a row's bytes.
    fn horizontal(input: Interleaved<'_>, filter: &Filter, mirrored: bool, block: &mut [[u8; ROWS]], out: &mut [u8]) {
        let to = filter.len();
        let size = to * input.height;
        for top in (0..input.height).step_by(ROWS) {
            // The last block repeats the last row; what comes of the copies is not stored.
            let rows: [&[u8]; ROWS] = std::array::from_fn(|row| input.row((top + row).min(input.height - 1)));
            let count = ROWS.min(input.height - top);
            lay(rows, block);
            for group in (0..to).step_by(8) {
                let mut pixels = [[[0u8; ROWS]; 3]; 8];
                for (i, pixel) in pixels.iter_mut().enumerate() {
                    let x = (group + i).min(to - 1);
                    let (first, weights) = filter.output(if mirrored { to - 1 - x } else { x });
                    let mut sums = [HALF; 3 * ROWS];
                    for (values, &weight) in block[first * 3..].as_chunks::<3>().0.iter().zip(weights) {
                        let values: &[u8; 3 * ROWS] = values.as_flattened().first_chunk().unwrap_or(&[0; 3 * ROWS]);
                        for i in 0..3 * ROWS {
                            sums[i] += i32::from(values[i]) * weight;
                        }
                    }
                    for (value, &sum) in pixel.as_flattened_mut().iter_mut().zip(&sums) {
                        *value = round(sum);
                    }
                }
                for channel in 0..3 {
                    let mut square = [[0; ROWS]; 8];
                    for (square, pixel) in square.iter_mut().zip(&pixels) {
                        *square = pixel[channel];
                    }
                    let stood = transpose(square);
                    for (row, values) in stood[..count].iter().enumerate() {
                        let out = &mut out[channel * size + (top + row) * to..][..to][group..];
                        match out.first_chunk_mut::<8>() {
                            Some(out) => *out = *values,
                            None => out.copy_from_slice(&values[..out.len()]),
                        }
                    }
                }
            }
        }
    }
}

/// Lays a block of rows on its side.
#[inline(always)]
fn lay(rows: [&[u8]; ROWS], block: &mut [[u8; ROWS]]) {
    let length = block.len();
    if length < 8 {
        for (x, block) in block.iter_mut().enumerate() {
            *block = std::array::from_fn(|row| rows[row][x]);
        }
        return;
    }
    for x in (0..length).step_by(8) {
        // The last step overlaps the one before it.
        let x = x.min(length - 8);
        let mut square = [[0; 8]; ROWS];
        for (square, row) in square.iter_mut().zip(rows) {
            square.copy_from_slice(&row[x..][..8]);
        }
        block[x..x + 8].copy_from_slice(&transpose(square));
    }
}

/// Swaps the rows and columns of a square of bytes: halves, then quarters, then single bytes.
#[inline(always)]
fn transpose(square: [[u8; 8]; 8]) -> [[u8; 8]; 8] {
    // Loops, not `map`, which is no `inline(always)` function.
    let mut words = [0; 8];
    for (word, row) in words.iter_mut().zip(square) {
        *word = u64::from_le_bytes(row);
    }
    let steps = [
        (4, 0x0000_0000_ffff_ffff),
        (2, 0x0000_ffff_0000_ffff),
        (1, 0x00ff_00ff_00ff_00ff_u64),
    ];
    for (apart, low) in steps {
        for i in (0..8).filter(|i| i & apart == 0) {
            let (first, second) = (words[i], words[i + apart]);
            words[i] = (first & low) | ((second & low) << (8 * apart));
            words[i + apart] = ((first >> (8 * apart)) & low) | (second & !low);
        }
    }
    let mut swapped = [[0; 8]; 8];
    for (row, word) in swapped.iter_mut().zip(words) {
        *row = word.to_le_bytes();
    }
    swapped
}

/// Takes the channels apart, without a resize.
fn deinterleave(input: Interleaved, mirrored: bool, out: &mut [u8]) {
    let size = input.width * input.height;
    let (red, rest) = out.split_at_mut(size);
    let (green, blue) = rest.split_at_mut(size);
    for y in 0..input.height {
        for (x, pixel) in input.row(y).as_chunks::<3>().0.iter().enumerate() {
            let x = if mirrored { input.width - 1 - x } else { x };
            let at = y * input.width + x;
            [red[at], green[at], blue[at]] = *pixel;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::at_every_level;
    use crate::transforms::{golden::compare, horizontal_flip};

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("resized_crop").1, 0);
        assert_eq!(compare("resize").1, 0);
        assert_eq!(compare("evaluate").1, 0);
    }

    #[test]
    fn nothing_depends_on_simd_and_mirrored_is_flipped() {
        let (wide, high) = (61, 43);
        let image = Image::new(
            wide,
            high,
            (0..wide * high * 3).map(|i| (i * i / 7 + i) as u8).collect(),
        );
        let boxes = [
            [0, 0, 43, 61],
            [3, 5, 40, 9],
            [7, 1, 20, 33],
            [2, 2, 17, 50],
            [40, 60, 1, 1],
            [0, 3, 33, 40],
        ];
        for [top, left, height, width] in boxes {
            for (to_width, to_height) in [(32, 32), (33, 20), (7, 65), (1, 1)] {
                let area = Region {
                    top,
                    left,
                    height,
                    width,
                };
                let run = |mirrored| {
                    let mut out = Planes::new(to_width, to_height);
                    Resizer::default().resize(Interleaved::new(&(&image).into(), area), mirrored, &mut out);
                    out
                };
                let mut flipped = at_every_level(|| run(false));
                horizontal_flip(&mut flipped);
                assert_eq!(run(true), flipped, "{area:?}");
            }
        }
    }
}
