//! Samples that are small enough to stay in memory.

use fmicl_core::{Image, Result, Samples};

/// How the bytes of an image lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One byte a pixel.
    Gray,
    /// A red, a green and a blue plane.
    Planar,
}

/// Images of one size with their labels.
#[derive(Debug)]
pub(super) struct Memory {
    pub width: usize,
    pub height: usize,
    pub layout: Layout,
    /// Image after image.
    pub pixels: Vec<u8>,
    /// One a sample, each below `classes`.
    pub labels: Vec<u8>,
    pub classes: usize,
}

impl Samples for Memory {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn image(&self, index: usize) -> Result<Image> {
        let size = self.width * self.height;
        Ok(match self.layout {
            Layout::Gray => Image::from_gray(self.width, self.height, &self.pixels[index * size..][..size]),
            Layout::Planar => {
                let planes = &self.pixels[index * 3 * size..][..3 * size];
                let pixels = (0..size).flat_map(|i| [planes[i], planes[size + i], planes[2 * size + i]]);
                Image::new(self.width, self.height, pixels.collect())
            }
        })
    }

    fn label(&self, index: usize) -> usize {
        usize::from(self.labels[index])
    }
}
