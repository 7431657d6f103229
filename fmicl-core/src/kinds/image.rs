//! A decoded image, and a part of one.

use std::borrow::Cow;

/// A decoded RGB image: rows top to bottom, interleaved, 8 bits a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `height * width * 3` bytes.
    pub pixels: Vec<u8>,
}

impl Image {
    /// An image from its pixels, `height * width * 3` bytes.
    ///
    /// # Panics
    /// In debug builds, if the length does not fit.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Self {
        debug_assert_eq!(pixels.len(), width * height * 3);
        Image { width, height, pixels }
    }

    /// A gray image, `height * width` bytes, repeated over the three channels.
    pub fn from_gray(width: usize, height: usize, gray: &[u8]) -> Self {
        Image::new(width, height, gray.iter().flat_map(|&value| [value; 3]).collect())
    }
}

/// A rectangle in an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The first row.
    pub top: usize,
    /// The first column.
    pub left: usize,
    /// The number of rows, at least 1.
    pub height: usize,
    /// The number of columns, at least 1.
    pub width: usize,
}

impl Region {
    /// The whole of an image.
    pub fn whole(width: usize, height: usize) -> Self {
        Region {
            top: 0,
            left: 0,
            height,
            width,
        }
    }

    /// The smallest rectangle that holds both.
    pub fn union(self, other: Region) -> Region {
        let (top, left) = (self.top.min(other.top), self.left.min(other.left));
        Region {
            top,
            left,
            height: (self.top + self.height).max(other.top + other.height) - top,
            width: (self.left + self.width).max(other.left + other.width) - left,
        }
    }
}

/// The pixels of a rectangle of an image, the dataset's own or decoded for the purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch<'a> {
    /// Region of the image that the pixels cover.
    pub region: Region,
    /// `height * width * 3` bytes of the region: rows top to bottom, interleaved RGB.
    pub pixels: Cow<'a, [u8]>,
}

impl Patch<'_> {
    /// Bytes from the first pixel of `region`, which must be within the patch, and the row stride in bytes.
    pub fn rows(&self, region: Region) -> (&[u8], usize) {
        let stride = self.region.width * 3;
        let first = (region.top - self.region.top) * stride + (region.left - self.region.left) * 3;
        (&self.pixels[first..], stride)
    }
}

impl<'a> From<&'a Image> for Patch<'a> {
    fn from(image: &'a Image) -> Self {
        Patch {
            region: Region::whole(image.width, image.height),
            pixels: Cow::Borrowed(&image.pixels),
        }
    }
}

impl From<Image> for Patch<'_> {
    fn from(image: Image) -> Self {
        Patch {
            region: Region::whole(image.width, image.height),
            pixels: Cow::Owned(image.pixels),
        }
    }
}
