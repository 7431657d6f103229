//! TIFF files with the crate `tiff`, of several images the first, in PIL's colours.
//!
//! The crate reads samples of many kinds and knows few kinds of colours. It is told that all are gray ones, and what they
//! are is seen to here. JPEG within TIFF goes through libjpeg, as with PIL.

mod bands;
mod colors;
mod jpeg;
mod raw;

use super::TRUNCATED;
pub(super) use bands::Stored;
use colors::Colors;
use fmicl_core::Image;
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use raw::Raw;
use std::io::ErrorKind;
use tiff::decoder::{Decoder, Limits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

/// What the file says of colours that are RGB.
const RGB: u16 = 2;

/// A file whose first directory has been read.
pub(super) struct Tiff<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    bytes: &'a [u8],
    decoder: Decoder<Raw<'a>>,
    colors: Colors,
    is_jpeg: bool,
    photometric: u16,
    /// Strips or tiles of a place: one for each sample, or one.
    planes: usize,
    orientation: Orientation,
}

impl<'a> Tiff<'a> {
    /// Returns true if these bytes begin as a TIFF does.
    pub(super) fn is(bytes: &[u8]) -> bool {
        matches!(bytes, [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..])
    }

    /// Reads the first directory.
    ///
    /// # Errors
    /// What is wrong with it, or not supported.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let (raw, photometric) = Raw::new(bytes)?;
        let mut decoder = Decoder::new(raw).map_err(said)?;
        let (width, height) = decoder.dimensions().map_err(said)?;
        let (width, height) = (width as usize, height as usize);
        let mut number = |tag, default: u16| number(&mut decoder, tag, default);
        if number(Tag::FillOrder, 1)? != 1 {
            return Err("its bits stand in reverse order; save it as PNG".into());
        }
        let is_jpeg = number(Tag::Compression, 1)? == 7;
        let is_planar = number(Tag::PlanarConfiguration, 1)? == 2;
        // A tag that cannot be read is none to PIL, either.
        let orientation = number(Tag::Orientation, 1).unwrap_or(1);
        let orientation = u8::try_from(orientation).ok().and_then(Orientation::from_exif);
        let (bits, samples) = match decoder.colortype().map_err(said)? {
            ColorType::Gray(bits) => (bits, 1),
            ColorType::Multiband { bit_depth, num_samples } => (bit_depth, num_samples),
            other => return Err(format!("its colours are {other:?}; save it as PNG")),
        };
        let colors = Colors::new(&mut decoder, photometric, bits, samples, is_jpeg)?;
        // The number of pixels is checked by the caller; the samples of each are few.
        let mut limits = Limits::default();
        limits.decoding_buffer_size = usize::MAX;
        limits.intermediate_buffer_size = usize::MAX;
        // A row of a tile is held.
        if is_wide(&decoder, width, 1 << 16) {
            let (tile, _) = decoder.chunk_dimensions();
            return Err(format!(
                "its tiles are {tile} pixels wide, and it {width}; the file is broken"
            ));
        }
        Ok(Tiff {
            width,
            height,
            bytes,
            decoder: decoder.with_limits(limits),
            colors,
            is_jpeg,
            photometric,
            planes: if is_planar { samples.into() } else { 1 },
            orientation: orientation.unwrap_or(Orientation::NoTransforms),
        })
    }

    /// The pixels, turned as the file says.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn decode(mut self) -> Result<Image, String> {
        let pixels = match self.is_jpeg {
            true => {
                let (sides, is_rgb) = ((self.width, self.height), self.photometric == RGB);
                jpeg::decode(&mut self.decoder, self.bytes, sides, is_rgb)?
            }
            false => self.pixels()?,
        };
        if self.orientation == Orientation::NoTransforms {
            return Ok(Image::new(self.width, self.height, pixels));
        }
        let image = RgbImage::from_raw(self.width as u32, self.height as u32, pixels);
        let mut image = DynamicImage::ImageRgb8(image.ok_or("its pixels are not as many as its sides say")?);
        image.apply_orientation(self.orientation);
        let (width, height) = (image.width() as usize, image.height() as usize);
        Ok(Image::new(width, height, image.into_rgb8().into_raw()))
    }

    /// Width and height of a strip or tile.
    fn part(decoder: &Decoder<Raw<'_>>) -> (usize, usize) {
        let (width, height) = decoder.chunk_dimensions();
        (width as usize, height as usize)
    }

    /// The pixels of all strips or tiles.
    fn pixels(&mut self) -> Result<Vec<u8>, String> {
        let (part_width, part_height) = Self::part(&self.decoder);
        let across = self.width.div_ceil(part_width);
        let parts = across * self.height.div_ceil(part_height);
        let mut pixels = vec![0; self.width * self.height * 3];
        let (mut row, mut rgb) = (Vec::new(), Vec::new());
        for part in 0..parts {
            let (left, top) = (part % across * part_width, part / across * part_height);
            let (width, height) = (part_width.min(self.width - left), part_height.min(self.height - top));
            let planes: Vec<_> = (0..self.planes)
                .map(|plane| self.samples(part + plane * parts))
                .collect();
            let planes = planes.into_iter().collect::<Result<Vec<_>, _>>()?;
            let target = pixels.chunks_exact_mut(self.width * 3).skip(top).take(height);
            for (y, target) in target.enumerate() {
                row.clear();
                rgb.clear();
                self.colors.row(&planes, y, width, &mut row).ok_or(TRUNCATED)?;
                self.colors.to_rgb(&row, &mut rgb);
                target[left * 3..][..width * 3].copy_from_slice(&rgb);
            }
        }
        Ok(pixels)
    }

    /// The samples of a strip or tile, of 8 bits if there were more.
    fn samples(&mut self, part: usize) -> Result<Vec<u8>, String> {
        let samples = self.decoder.read_chunk(part as u32).map_err(said)?;
        let samples = colors::eight_bits(samples, self.colors.is_gray());
        samples.ok_or_else(|| "its samples are of an unusual kind; save it as PNG".into())
    }
}

/// Returns true if tiles are wider than the image by more than `most` pixels.
fn is_wide(decoder: &Decoder<Raw<'_>>, width: usize, most: usize) -> bool {
    Tiff::part(decoder).0 > width + most
}

/// The value of a tag, or what it is without it.
fn number(decoder: &mut Decoder<Raw<'_>>, tag: Tag, default: u16) -> Result<u16, String> {
    Ok(decoder.find_tag_unsigned(tag).map_err(said)?.unwrap_or(default))
}

fn said(error: TiffError) -> String {
    match error {
        TiffError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => TRUNCATED.into(),
        TiffError::UnsupportedError(error) => format!("{error}; save it as PNG"),
        error => error.to_string(),
    }
}
