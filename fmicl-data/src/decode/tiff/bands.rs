//! The samples of a TIFF as they are stored, whatever they are of.

use super::{Raw, Tiff, is_wide, number, said};
use crate::decode::TRUNCATED;
use fmicl_core::{BandSamples, Bands};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

/// What says that colours are those of a palette.
const PALETTE: u16 = 3;
/// JPEG, and the one of old.
const JPEG: [u16; 2] = [6, 7];

/// A file whose first directory has been read.
pub(in crate::decode) struct Stored<'a> {
    pub width: usize,
    pub height: usize,
    pub channels: usize,
    /// Bits of a sample, at least 8.
    pub bits: u8,
    decoder: Decoder<Raw<'a>>,
    /// Strips or tiles of a place: one for each channel, or one.
    planes: usize,
}

impl<'a> Stored<'a> {
    /// Reads the first directory; none where the samples are of a palette, JPEG, or less than 8 bits, which are colours.
    ///
    /// # Errors
    /// What is wrong with it, or not supported.
    pub fn open(bytes: &'a [u8]) -> Result<Option<Self>, String> {
        let (raw, photometric) = Raw::new(bytes)?;
        let mut decoder = Decoder::new(raw).map_err(said)?;
        let (width, height) = decoder.dimensions().map_err(said)?;
        let mut number = |tag, default: u16| number(&mut decoder, tag, default);
        let (compression, planar) = (number(Tag::Compression, 1)?, number(Tag::PlanarConfiguration, 1)?);
        let (order, orientation) = (number(Tag::FillOrder, 1)?, number(Tag::Orientation, 1).unwrap_or(1));
        let (bits, channels) = match decoder.colortype().map_err(said)? {
            ColorType::Gray(bits) => (bits, 1),
            ColorType::Multiband { bit_depth, num_samples } => (bit_depth, num_samples),
            other => return Err(format!("its samples are {other:?}; save it as an array of numpy's")),
        };
        if photometric == PALETTE || JPEG.contains(&compression) || bits < 8 || order != 1 {
            return Ok(None);
        }
        if orientation != 1 {
            return Err(format!(
                "it is turned (orientation {orientation}), and turning is for RGB alone; turn its pixels"
            ));
        }
        let (width, height) = (width as usize, height as usize);
        // A row of a tile is held.
        if is_wide(&decoder, width, 1 << 12) {
            return Err("its tiles are far wider than it; the file is broken".into());
        }
        let mut limits = Limits::default();
        limits.decoding_buffer_size = usize::MAX;
        limits.intermediate_buffer_size = usize::MAX;
        Ok(Some(Stored {
            width,
            height,
            channels: channels.into(),
            bits,
            decoder: decoder.with_limits(limits),
            planes: if planar == 2 { channels.into() } else { 1 },
        }))
    }

    /// The samples of all strips or tiles.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn decode(mut self) -> Result<Bands, String> {
        let count = self.width * self.height * self.channels;
        let mut samples = BandSamples::Bytes(vec![]);
        let (part_width, part_height) = Tiff::part(&self.decoder);
        let across = self.width.div_ceil(part_width);
        let parts = across * self.height.div_ceil(part_height);
        for (plane, part) in (0..self.planes).flat_map(|plane| (0..parts).map(move |part| (plane, part))) {
            let (left, top) = (part % across * part_width, part / across * part_height);
            let place = Place {
                left,
                top,
                width: part_width.min(self.width - left),
                height: part_height.min(self.height - top),
                across: self.width,
                first: plane,
                together: self.channels / self.planes,
                channels: self.channels,
            };
            let read = self.decoder.read_chunk((part + plane * parts) as u32).map_err(said)?;
            if samples.is_empty() {
                samples = match kind(&read) {
                    None => BandSamples::Bytes(vec![0; count]),
                    Some(kind) => BandSamples::Numbers(vec![0.0; count], kind),
                };
            }
            put(read, &place, &mut samples).ok_or(TRUNCATED)?;
        }
        Ok(Bands {
            width: self.width,
            height: self.height,
            channels: self.channels,
            samples,
        })
    }
}

/// What numbers are called that are not bytes.
fn kind(read: &DecodingResult) -> Option<&'static str> {
    Some(match read {
        DecodingResult::U8(_) => return None,
        DecodingResult::U16(_) => "of 16 bits",
        DecodingResult::U32(_) => "of 32 bits",
        DecodingResult::U64(_) => "of 64 bits",
        DecodingResult::F16(_) | DecodingResult::F32(_) | DecodingResult::F64(_) => "floats",
        DecodingResult::I8(_) => "of 8 bits with a sign",
        DecodingResult::I16(_) => "of 16 bits with a sign",
        DecodingResult::I32(_) => "of 32 bits with a sign",
        DecodingResult::I64(_) => "of 64 bits with a sign",
    })
}

/// Puts the samples of a part where they belong; none where they are too few.
fn put(read: DecodingResult, place: &Place, samples: &mut BandSamples) -> Option<()> {
    match (read, samples) {
        (DecodingResult::U8(read), BandSamples::Bytes(all)) => place.put(&read, |byte| byte, all),
        (_, BandSamples::Bytes(_)) => None,
        (read, BandSamples::Numbers(all, _)) => match read {
            DecodingResult::U8(read) => place.put(&read, f32::from, all),
            DecodingResult::U16(read) => place.put(&read, f32::from, all),
            DecodingResult::U32(read) => place.put(&read, |number| number as f32, all),
            DecodingResult::U64(read) => place.put(&read, |number| number as f32, all),
            DecodingResult::F16(read) => place.put(&read, |number| number.to_f32(), all),
            DecodingResult::F32(read) => place.put(&read, |number| number, all),
            DecodingResult::F64(read) => place.put(&read, |number| number as f32, all),
            DecodingResult::I8(read) => place.put(&read, f32::from, all),
            DecodingResult::I16(read) => place.put(&read, f32::from, all),
            DecodingResult::I32(read) => place.put(&read, |number| number as f32, all),
            DecodingResult::I64(read) => place.put(&read, |number| number as f32, all),
        },
    }
}

/// Where the samples of a strip or tile belong.
struct Place {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    /// Pixels of a row of the image.
    across: usize,
    /// The first channel, and how many stand together.
    first: usize,
    together: usize,
    channels: usize,
}

impl Place {
    fn put<T: Copy, U>(&self, read: &[T], to: impl Fn(T) -> U, all: &mut [U]) -> Option<()> {
        let rows = read.chunks_exact(self.width * self.together).take(self.height);
        if rows.len() < self.height {
            return None;
        }
        for (y, row) in (self.top..).zip(rows) {
            let pixels = row.chunks_exact(self.together);
            for (x, pixel) in (self.left..).zip(pixels) {
                let at = (y * self.across + x) * self.channels + self.first;
                for (sample, &read) in all.get_mut(at..at + self.together)?.iter_mut().zip(pixel) {
                    *sample = to(read);
                }
            }
        }
        Some(())
    }
}
