//! Antialiased bilinear resize of a crop.
//!
//! Each output value is a weighted mean of the inputs under a triangle as wide as the scale, once along rows and once
//! along columns, each in fixed point with 22 bits and rounded to 8. Source: Pillow 13's `Image.resize` with
//! `BILINEAR`, which torchvision's `resize` and `resized_crop` call.

use super::block::{ROWS, lay, transpose};
use super::filter::{Axis, BITS, Filter, Filters};
use super::interleaved::{Interleaved, deinterleave};
use fmicl_core::{Image, Patch, Planes, Region, kernel};

/// Crops `image` to `area`, then resizes it to `width` x `height`: torchvision's `resized_crop`.
///
/// The filter sees nothing outside the crop.
pub fn resized_crop(image: &Image, area: Region, width: usize, height: usize) -> Planes {
    resize(&image.into(), area, width, height)
}

/// Resizes so that the shorter side has `size` pixels: torchvision's `Resize(size)`.
pub fn resize_shorter_side(image: &Patch, size: usize) -> Planes {
    let (width, height) = shorter_side(image.region, size);
    resize(image, image.region, width, height)
}

/// The width and height of an image whose shorter side is resized to `size`.
fn shorter_side(Region { width, height, .. }: Region, size: usize) -> (usize, usize) {
    // As in Python: the product is divided in f64 and truncated.
    let longer = |long: usize, short: usize| ((size * long) as f64 / short as f64) as usize;
    if width <= height {
        (size, longer(height, width))
    } else {
        (longer(width, height), size)
    }
}

/// Resizes so that the shorter side has `resize` pixels and keeps the centre, `size` x `size`, `size <= resize`:
/// torchvision's `Resize(resize)` and `CenterCrop(size)`.
///
/// Nothing but the centre is computed: the resized image of one that is 1 pixel high and 65,000 wide would not fit into
/// memory.
pub fn resize_and_center_crop(image: &Patch, resize: usize, size: usize) -> Planes {
    let (width, height) = shorter_side(image.region, resize);
    // Python's round: halves to even.
    let start = |length: usize| ((length - size) as f64 / 2.0).round_ties_even() as usize;
    let axis = |input, output| Axis {
        input,
        output,
        first: start(output),
        len: size,
    };
    let (columns, rows) = (axis(image.region.width, width), axis(image.region.height, height));
    let mut center = Planes::new(size, size);
    Resizer::default().part(Interleaved::new(image, image.region), columns, rows, false, &mut center);
    center
}

fn resize(patch: &Patch, area: Region, width: usize, height: usize) -> Planes {
    let mut out = Planes::new(width, height);
    Resizer::default().resize(Interleaved::new(patch, area), false, &mut out);
    out
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
        let columns = Axis::whole(input.width, out.width);
        let rows = Axis::whole(input.height, out.height);
        self.part(input, columns, rows, mirrored, out);
    }

    /// Resizes `input` and keeps what the axes want of it, which is the size of `out`, mirrored if that is set.
    fn part(&mut self, input: Interleaved, columns: Axis, rows: Axis, mirrored: bool, out: &mut Planes) {
        let (narrower, lower) = (
            columns.input as isize - columns.output as isize,
            rows.input as isize - rows.output as isize,
        );
        let input = input.part(rows.inputs(), columns.inputs());
        let (width, height) = (columns.len, rows.len);
        // Rounding in between makes the order matter.
        if lower > 0 && lower > 2 * narrower {
            let stride = input.width * 3;
            self.between.resize(stride * height, 0);
            let filter = self.filters.get(rows);
            vertical(input.pixels, input.stride, stride, filter, &mut self.between);
            let pixels = std::mem::take(&mut self.between);
            let between = Interleaved {
                pixels: &pixels,
                stride,
                width: input.width,
                height,
            };
            self.rows(between, mirrored, columns, &mut out.data);
            self.between = pixels;
        } else if rows.copies() {
            self.rows(input, mirrored, columns, &mut out.data);
        } else {
            let mut between = std::mem::take(&mut self.between);
            between.resize(3 * width * input.height, 0);
            self.rows(input, mirrored, columns, &mut between);
            let filter = self.filters.get(rows);
            let planes = between.chunks_exact(width * input.height);
            for (plane, out) in planes.zip(out.data.chunks_exact_mut(width * height)) {
                vertical(plane, width, width, filter, out);
            }
            self.between = between;
        }
    }

    /// Resizes the rows and takes the channels apart.
    fn rows(&mut self, input: Interleaved, mirrored: bool, columns: Axis, out: &mut [u8]) {
        if columns.copies() {
            deinterleave(input, mirrored, out);
        } else {
            self.block.resize(input.width * 3, [0; ROWS]);
            let filter = self.filters.get(columns);
            horizontal(input, filter, mirrored, &mut self.block, out);
        }
    }
}

/// Rounds a fixed-point sum. Weights are not negative and sum to one but for their rounding.
#[inline(always)]
fn round(sum: i32) -> u8 {
    (sum >> BITS).min(255) as u8
}

const HALF: i32 = 1 << (BITS - 1);

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transforms::{golden::compare, horizontal_flip};
    use fmicl_core::testing::at_every_level;

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("resized_crop").1, 0);
        assert_eq!(compare("resize").1, 0);
        assert_eq!(compare("evaluate").1, 0);
    }

    #[test]
    fn the_centre_alone_is_the_centre_of_the_whole() {
        for (wide, high, resize, size) in [
            (61, 43, 32, 24),
            (43, 61, 50, 7),
            (30, 30, 30, 20),
            (9, 200, 12, 12),
            (300, 5, 8, 5),
            (40, 64, 40, 33),
        ] {
            let pixels = (0..wide * high * 3).map(|i| (i * i / 7 + i) as u8).collect();
            let image = Image::new(wide, high, pixels);
            let whole = resize_shorter_side(&(&image).into(), resize);
            let start = |length: usize| ((length - size) as f64 / 2.0).round_ties_even() as usize;
            let (top, left) = (start(whole.height), start(whole.width));
            let center = resize_and_center_crop(&(&image).into(), resize, size);
            for (plane, center) in whole.split().into_iter().zip(center.split()) {
                for (y, row) in center.chunks_exact(size).enumerate() {
                    let expected = &plane[(top + y) * whole.width + left..][..size];
                    assert_eq!(row, expected, "row {y} of {wide}x{high} to {resize}, {size}");
                }
            }
        }
    }

    #[test]
    fn an_image_of_one_row_is_no_trouble() {
        // Resized as a whole it would have 256 rows of 16,640,000 pixels.
        let image = Image::new(65_000, 1, (0..195_000).map(|i| (i / 3 / 256) as u8).collect());
        let center = resize_and_center_crop(&(&image).into(), 256, 224);
        assert_eq!((center.width, center.height), (224, 224));
        assert!(
            center.data.iter().all(|value| [126, 127].contains(value)),
            "{:?}",
            &center.data[..9]
        );
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
