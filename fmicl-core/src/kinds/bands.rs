//! An image as its file stores it: any number of channels, of any kind of numbers.

use crate::Image;

/// The samples of an image before they become bytes: what colours they are, if any, is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Bands {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Samples of a pixel, at least 1.
    pub channels: usize,
    /// `height * width * channels` samples: rows top to bottom, those of a pixel beside one another.
    pub samples: BandSamples,
}

/// The samples of [`Bands`].
#[derive(Debug, Clone, PartialEq)]
pub enum BandSamples {
    /// Of 8 bits, from 0 to 255.
    Bytes(Vec<u8>),
    /// Of any other kind, which is named, such as "of 16 bits" or "floats".
    Numbers(Vec<f32>, &'static str),
}

impl BandSamples {
    /// The number of samples.
    pub fn len(&self) -> usize {
        match self {
            BandSamples::Bytes(bytes) => bytes.len(),
            BandSamples::Numbers(numbers, _) => numbers.len(),
        }
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Image> for Bands {
    /// Red, green and blue.
    fn from(image: Image) -> Self {
        Bands {
            width: image.width,
            height: image.height,
            channels: 3,
            samples: BandSamples::Bytes(image.pixels),
        }
    }
}
