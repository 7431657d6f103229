//! Antialiased bilinear resize of a crop.
//!
//! Each output value is a weighted mean of the inputs under a triangle as wide as the scale, once along rows and once
//! along columns, each in fixed point with 22 bits and rounded to 8. Source: Pillow 13's `Image.resize` with
//! `BILINEAR`, which torchvision's `resize` and `resized_crop` call.

use super::CropBox;
use crate::Planes;
use fmicl_core::Image;

/// The fraction bits of a weight.
const BITS: u32 = 22;

/// Crops `image` to `area`, then resizes it to `width` x `height`: torchvision's `resized_crop`.
///
/// The filter sees nothing outside the crop.
pub fn resized_crop(image: &Image, area: CropBox, width: usize, height: usize) -> Planes {
    let crop = Interleaved::new(image, area);
    let (narrower, lower) = (
        area.width as isize - width as isize,
        area.height as isize - height as isize,
    );
    // Rounding in between makes the order matter.
    if lower > 0 && lower > 2 * narrower {
        let pixels = vertical(crop.pixels, crop.stride, area.width * 3, area.height, height);
        return horizontal(
            &Interleaved {
                pixels: &pixels,
                stride: area.width * 3,
                width: area.width,
                height,
            },
            width,
        );
    }
    let rows = horizontal(&crop, width);
    if area.height == height {
        return rows;
    }
    let mut out = Planes {
        width,
        height,
        data: Vec::with_capacity(3 * width * height),
    };
    for plane in rows.split() {
        out.data.extend(vertical(plane, width, width, area.height, height));
    }
    out
}

/// Resizes so that the shorter side has `size` pixels: torchvision's `Resize(size)`.
pub fn resize_shorter_side(image: &Image, size: usize) -> Planes {
    let (width, height) = (image.width, image.height);
    // As in Python: the product is divided in f64 and truncated.
    let longer = |long: usize, short: usize| ((size * long) as f64 / short as f64) as usize;
    let (to_width, to_height) = if width <= height {
        (size, longer(height, width))
    } else {
        (longer(width, height), size)
    };
    resized_crop(
        image,
        CropBox {
            top: 0,
            left: 0,
            width,
            height,
        },
        to_width,
        to_height,
    )
}

/// Resizes so that the shorter side has `resize` pixels and keeps the centre, `size` x `size`, `size <= resize`:
/// torchvision's `Resize(resize)` and `CenterCrop(size)`.
pub fn resize_and_center_crop(image: &Image, resize: usize, size: usize) -> Planes {
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

/// A part of an interleaved RGB image.
struct Interleaved<'a> {
    /// From the first byte of the part on.
    pixels: &'a [u8],
    /// Bytes from row to row.
    stride: usize,
    width: usize,
    height: usize,
}

impl<'a> Interleaved<'a> {
    fn new(image: &'a Image, area: CropBox) -> Self {
        let stride = image.width * 3;
        let pixels = &image.pixels[area.top * stride + area.left * 3..];
        Interleaved {
            pixels,
            stride,
            width: area.width,
            height: area.height,
        }
    }

    /// The bytes of a row.
    fn row(&self, y: usize) -> &'a [u8] {
        &self.pixels[y * self.stride..][..self.width * 3]
    }
}

/// The weights of one dimension.
struct Filter {
    /// For each output, its first input and the number of its inputs.
    spans: Vec<(usize, usize)>,
    /// For each output `taps` weights, of which the span's length counts.
    weights: Vec<i32>,
    taps: usize,
}

impl Filter {
    fn new(input: usize, output: usize) -> Self {
        let scale = input as f64 / output as f64;
        // When it enlarges, the triangle keeps the width of plain bilinear interpolation.
        let support = scale.max(1.0);
        let taps = support.ceil() as usize * 2 + 1;
        let mut filter = Filter {
            spans: Vec::with_capacity(output),
            weights: vec![0; output * taps],
            taps,
        };
        let mut exact = vec![0.0; taps];
        for (to, weights) in filter.weights.chunks_exact_mut(taps).enumerate() {
            let center = (to as f64 + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as usize;
            let count = ((center + support + 0.5) as usize).min(input) - first;
            let reach = 1.0 / support;
            for (from, exact) in exact[..count].iter_mut().enumerate() {
                let distance = (((from + first) as f64 - center + 0.5) * reach).abs();
                *exact = (1.0 - distance).max(0.0);
            }
            let sum: f64 = exact[..count].iter().sum();
            for (weight, exact) in weights.iter_mut().zip(&exact[..count]) {
                *weight = (0.5 + exact / sum * f64::from(1 << BITS)) as i32;
            }
            filter.spans.push((first, count));
        }
        filter
    }

    /// For each output, its first input and the weights from there on.
    fn outputs(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.spans
            .iter()
            .zip(self.weights.chunks_exact(self.taps))
            .map(|(&(first, count), weights)| (first, &weights[..count]))
    }
}

/// Rounds a fixed-point sum. Weights are not negative and sum to one but for their rounding.
#[inline(always)]
fn round(sum: i32) -> u8 {
    (sum >> BITS).min(255) as u8
}

const HALF: i32 = 1 << (BITS - 1);

/// Resizes the columns of `height` rows of `length` bytes, `stride` apart; the bytes of a row do not mix.
fn vertical(pixels: &[u8], stride: usize, length: usize, height: usize, to: usize) -> Vec<u8> {
    /// Sums that stay in registers while the taps go by.
    const LANES: usize = 32;
    let filter = Filter::new(height, to);
    let mut out = vec![0; length * to];
    for (row, (first, weights)) in out.chunks_exact_mut(length).zip(filter.outputs()) {
        for (chunk, out) in row.chunks_mut(LANES).enumerate() {
            let start = first * stride + chunk * LANES;
            let mut sums = [HALF; LANES];
            if out.len() == LANES {
                for (tap, &weight) in weights.iter().enumerate() {
                    let values: &[u8] = &pixels[start + tap * stride..][..LANES];
                    sums.iter_mut()
                        .zip(values)
                        .for_each(|(sum, &value)| *sum += i32::from(value) * weight);
                }
            } else {
                for (tap, &weight) in weights.iter().enumerate() {
                    let values = &pixels[start + tap * stride..][..out.len()];
                    sums.iter_mut()
                        .zip(values)
                        .for_each(|(sum, &value)| *sum += i32::from(value) * weight);
                }
            }
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out = round(sum));
        }
    }
    out
}

/// Resizes the rows to `to` pixels and takes the channels apart.
fn horizontal(input: &Interleaved, to: usize) -> Planes {
    /// Rows done at once: a transposed block makes the sums of a pixel's channels contiguous.
    const ROWS: usize = 8;
    let mut out = Planes::new(to, input.height);
    if input.width == to {
        let [red, green, blue] = out.split_mut();
        let planes = red
            .chunks_exact_mut(to)
            .zip(green.chunks_exact_mut(to))
            .zip(blue.chunks_exact_mut(to));
        for (y, ((red, green), blue)) in planes.enumerate() {
            for (x, pixel) in input.row(y).chunks_exact(3).enumerate() {
                (red[x], green[x], blue[x]) = (pixel[0], pixel[1], pixel[2]);
            }
        }
        return out;
    }
    let filter = Filter::new(input.width, to);
    let size = to * input.height;
    let mut block = vec![[0u8; ROWS]; input.width * 3];
    for top in (0..input.height).step_by(ROWS) {
        // The last block repeats the last row; what comes of the copies is not stored.
        let rows: [&[u8]; ROWS] = std::array::from_fn(|row| input.row((top + row).min(input.height - 1)));
        for (x, block) in block.iter_mut().enumerate() {
            *block = std::array::from_fn(|row| rows[row][x]);
        }
        let count = ROWS.min(input.height - top);
        for (x, (first, weights)) in filter.outputs().enumerate() {
            let mut sums = [HALF; 3 * ROWS];
            for (pixel, &weight) in block[first * 3..].chunks_exact(3).zip(weights) {
                let values = pixel.as_flattened();
                sums.iter_mut()
                    .zip(values)
                    .for_each(|(sum, &value)| *sum += i32::from(value) * weight);
            }
            for (channel, sums) in sums.chunks_exact(ROWS).enumerate() {
                for (row, &sum) in sums[..count].iter().enumerate() {
                    out.data[channel * size + (top + row) * to + x] = round(sum);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::transforms::golden::compare;

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("resized_crop").1, 0);
        assert_eq!(compare("resize").1, 0);
        assert_eq!(compare("evaluate").1, 0);
    }
}
