//! Samples that are small enough to stay in memory.

use fmicl_core::{Image, Patch, Portion, Region, Result, Samples};
use std::borrow::Cow;

/// How the bytes of an image lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One byte a pixel.
    Gray,
    /// Red, green and blue of each pixel.
    Rgb,
}

/// Appends an image of three planes to `pixels`, red, green and blue of each pixel.
pub(super) fn interleave(planes: &[u8], pixels: &mut Vec<u8>) {
    let (red, rest) = planes.split_at(planes.len() / 3);
    let (green, blue) = rest.split_at(red.len());
    pixels.extend(red.iter().zip(green).zip(blue).flat_map(|((&r, &g), &b)| [r, g, b]));
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
    /// As many, or none.
    pub class_names: Vec<String>,
}

impl Samples for Memory {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn class_names(&self) -> Vec<String> {
        self.class_names.clone()
    }

    fn image(&self, index: usize) -> Result<Image> {
        Ok(Image::new(self.width, self.height, self.pixels_of(index).into_owned()))
    }

    fn patch(&self, index: usize, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'_>> {
        choose(self.width, self.height);
        Ok(Patch {
            region: Region::whole(self.width, self.height),
            pixels: self.pixels_of(index),
        })
    }

    fn portions(&self) -> Vec<Portion> {
        vec![Portion::new("", self.len(), [&self.pixels, &self.labels])]
    }

    fn label(&self, index: usize) -> usize {
        usize::from(self.labels[index])
    }
}

impl Memory {
    fn pixels_of(&self, index: usize) -> Cow<'_, [u8]> {
        let size = self.width * self.height;
        match self.layout {
            Layout::Gray => {
                let gray = &self.pixels[index * size..][..size];
                Cow::Owned(Image::from_gray(self.width, self.height, gray).pixels)
            }
            Layout::Rgb => Cow::Borrowed(&self.pixels[index * 3 * size..][..3 * size]),
        }
    }
}
