//! BMP files with the decoder of `image`, and PIL's colours where they are of numbers or of 16 bits.

use super::{palette, said};
use fmicl_core::Image;
use image::codecs::bmp::BmpDecoder;
use image::{DynamicImage, ImageDecoder};
use std::borrow::Cow;
use std::io::Cursor;

/// The file's own header, before that of the bitmap.
const FILE_HEADER: usize = 14;
/// The bitmap's header that OS/2 had: sides of 16 bits, and colours of three bytes.
const CORE_HEADER: usize = 12;
/// That of Windows, which later ones begin with.
const INFO_HEADER: usize = 40;

/// A file whose header has been read.
pub(super) struct Bmp<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    colors: Colors,
    decoder: BmpDecoder<Cursor<Cow<'a, [u8]>>>,
}

/// What the decoder's pixels stand for.
enum Colors {
    /// Their own colours.
    Plain,
    /// Numbers in a palette.
    Palette(Vec<[u8; 3]>),
    /// Scaled from so many bits.
    Bits([u32; 3]),
}

impl<'a> Bmp<'a> {
    /// Returns true if these bytes begin as a BMP does.
    pub(super) fn is(bytes: &[u8]) -> bool {
        bytes.starts_with(b"BM")
    }

    /// Reads the header.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let (bytes, colors) = prepared(bytes).ok_or("the file ends in its header")?;
        let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(said)?;
        let (width, height) = decoder.dimensions();
        Ok(Bmp {
            width: width as usize,
            height: height as usize,
            colors,
            decoder,
        })
    }

    /// The pixels.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn decode(self) -> Result<Image, String> {
        let decoded = DynamicImage::from_decoder(self.decoder).map_err(said)?;
        let mut pixels = decoded.into_rgb8().into_raw();
        match self.colors {
            Colors::Plain => {}
            Colors::Palette(colors) => {
                let indices: Vec<u8> = pixels.iter().copied().step_by(3).collect();
                pixels = palette::colored(&indices, &colors);
            }
            Colors::Bits(bits) => {
                let tables = bits.map(truncating);
                let channels = pixels.chunks_exact_mut(3).flatten().zip(tables.iter().cycle());
                channels.for_each(|(value, table)| *value = table[usize::from(*value)]);
            }
        }
        Ok(Image::new(self.width, self.height, pixels))
    }
}

/// The file that the decoder is given, and what its pixels will stand for. Where they are numbers in a palette, that one is
/// replaced by the numbers themselves: pixels that a compressed file leaves out are then of the first colour, and those of
/// no colour are known.
fn prepared(bytes: &[u8]) -> Option<(Cow<'_, [u8]>, Colors)> {
    const COLORS: usize = 46;
    let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize);
    let short = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let header = number(FILE_HEADER)?;
    let is_core = header == CORE_HEADER;
    if !is_core && header < INFO_HEADER {
        // The decoder says so.
        return Some((bytes.into(), Colors::Plain));
    }
    let bits = if is_core { short(24)? } else { short(28)? };
    if bits == 16 && !is_core {
        const BIT_FIELDS: usize = 3;
        let bits = match number(30)? {
            BIT_FIELDS => [54, 58, 62].map(|at| number(at).unwrap_or(0).count_ones()),
            _ => [5; 3],
        };
        return Some((bytes.into(), Colors::Bits(bits)));
    }
    if bits > 8 {
        return Some((bytes.into(), Colors::Plain));
    }
    let all = 1 << bits;
    let count = if is_core { 0 } else { number(COLORS)? };
    let count = if count == 0 { all } else { count };
    let size = if is_core { 3 } else { 4 };
    let start = FILE_HEADER.checked_add(header)?;
    let palette = bytes.get(start..)?;
    let colors: Vec<_> = palette.chunks_exact(size).take(count).take(256).collect();
    let colors = colors.iter().map(|color| [color[2], color[1], color[0]]).collect();
    let mut data = number(10)?;
    if data == start {
        // There is the palette.
        data += size * count.min(all);
    }
    let mut file = bytes.get(..start)?.to_vec();
    let offset = start + all * size;
    file[10..14].copy_from_slice(&(offset as u32).to_le_bytes());
    if !is_core {
        file[COLORS..COLORS + 4].copy_from_slice(&(all as u32).to_le_bytes());
    }
    file.extend((0..all).flat_map(|index| [index as u8, index as u8, index as u8, 0].into_iter().take(size)));
    file.extend_from_slice(bytes.get(data..)?);
    Some((file.into(), Colors::Palette(colors)))
}

/// From a value of so many bits that is scaled to 255 and rounded to one that is not rounded, as with PIL. It knows 5 bits
/// and 6.
fn truncating(bits: u32) -> [u8; 256] {
    let mut table = [0; 256];
    for (value, truncated) in (0..=255u32).zip(&mut table) {
        let most = (1 << bits.clamp(1, 8)) - 1;
        *truncated = match bits {
            5 | 6 => ((value * most + 127) / 255 * 255 / most) as u8,
            _ => value as u8,
        };
    }
    table
}
