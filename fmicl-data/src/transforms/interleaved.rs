//! Red, green and blue of a pixel beside one another, as decoders give them.

use fmicl_core::{Patch, Region};
use std::ops::Range;

/// A part of an interleaved RGB image.
#[derive(Clone, Copy)]
pub(crate) struct Interleaved<'a> {
    /// From the first byte of the part on.
    pub(super) pixels: &'a [u8],
    /// Bytes from row to row.
    pub(super) stride: usize,
    pub(super) width: usize,
    pub(super) height: usize,
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

    /// Of this part the rows and columns in these ranges.
    pub(super) fn part(self, rows: Range<usize>, columns: Range<usize>) -> Self {
        Interleaved {
            pixels: &self.pixels[rows.start * self.stride + columns.start * 3..],
            stride: self.stride,
            width: columns.len(),
            height: rows.len(),
        }
    }

    /// The bytes of a row.
    #[inline(always)]
    pub(super) fn row(&self, y: usize) -> &'a [u8] {
        &self.pixels[y * self.stride..][..self.width * 3]
    }
}

/// Takes the channels apart, mirrored left and right if that is set.
pub(super) fn deinterleave(input: Interleaved, mirrored: bool, out: &mut [u8]) {
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
