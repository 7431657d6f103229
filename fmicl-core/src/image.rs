//! A decoded image.

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
