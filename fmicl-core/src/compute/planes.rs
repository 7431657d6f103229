//! An RGB image as three planes.

use crate::Image;

/// An RGB image as three planes of 8 bits, the layout in which colour operations vectorise and which batches have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planes {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `3 * height * width` bytes: red, green, blue, each row by row.
    pub data: Vec<u8>,
}

impl Planes {
    /// A black image.
    pub fn new(width: usize, height: usize) -> Self {
        Planes {
            width,
            height,
            data: vec![0; 3 * width * height],
        }
    }

    /// Changes the size; the pixels are unspecified afterwards.
    pub fn reshape(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.data.resize(3 * width * height, 0);
    }

    /// The planes red, green and blue.
    pub fn split(&self) -> [&[u8]; 3] {
        let (red, rest) = self.data.split_at(self.width * self.height);
        let (green, blue) = rest.split_at(self.width * self.height);
        [red, green, blue]
    }

    /// The planes red, green and blue, to be written.
    pub fn split_mut(&mut self) -> [&mut [u8]; 3] {
        let (red, rest) = self.data.split_at_mut(self.width * self.height);
        let (green, blue) = rest.split_at_mut(self.width * self.height);
        [red, green, blue]
    }
}

impl From<&Image> for Planes {
    fn from(image: &Image) -> Self {
        let mut planes = Planes::new(image.width, image.height);
        let [red, green, blue] = planes.split_mut();
        let pixels = red.iter_mut().zip(green).zip(blue).zip(image.pixels.chunks_exact(3));
        for (((red, green), blue), pixel) in pixels {
            (*red, *green, *blue) = (pixel[0], pixel[1], pixel[2]);
        }
        planes
    }
}

impl From<&Planes> for Image {
    fn from(planes: &Planes) -> Self {
        let [red, green, blue] = planes.split();
        let pixels = red
            .iter()
            .zip(green)
            .zip(blue)
            .flat_map(|((&red, &green), &blue)| [red, green, blue]);
        Image::new(planes.width, planes.height, pixels.collect())
    }
}
