//! The colours of a TIFF's samples.

use super::{Raw, said};
use crate::decode::{cmyk, palette};
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

/// What the samples of a pixel are.
pub(super) struct Colors {
    kind: Kind,
    /// Bits of a sample: less than 8 of gray and numbers alone.
    pub(super) bits: u8,
    /// Samples of a pixel, the transparency and others included.
    samples: usize,
    /// The colours are multiplied by the transparency, which follows them.
    is_multiplied: bool,
}

enum Kind {
    Gray,
    /// White is 0.
    Inverted,
    Rgb,
    Palette(Vec<[u8; 3]>),
    Cmyk,
    /// In JPEG, whose decoder sees to it.
    Jpeg,
}

impl Colors {
    /// Those of the decoder's image, of which the file says what they are by a number.
    ///
    /// # Errors
    /// What is wrong with them, or not supported.
    pub(super) fn new(
        decoder: &mut Decoder<Raw<'_>>,
        photometric: u16,
        bits: u8,
        samples: u16,
        is_jpeg: bool,
    ) -> Result<Self, String> {
        let (kind, least, bits_read): (_, _, &[u8]) = match photometric {
            _ if is_jpeg => match photometric {
                0 | 1 | 2 | 6 => (Kind::Jpeg, 1, &[8]),
                _ => return Err("its JPEG is neither gray nor RGB nor YCbCr; save it as PNG".into()),
            },
            0 => (Kind::Inverted, 1, &[1, 2, 4, 8, 16, 32]),
            1 => (Kind::Gray, 1, &[1, 2, 4, 8, 16, 32]),
            2 => (Kind::Rgb, 3, &[8, 16]),
            3 => (Kind::Palette(map(decoder, bits)?), 1, &[1, 2, 4, 8]),
            5 => (Kind::Cmyk, 4, &[8, 16]),
            _ => {
                let name = match photometric {
                    4 => "a mask's",
                    6 => "YCbCr without JPEG",
                    8..=10 => "Lab",
                    _ => "of an unknown kind",
                };
                return Err(format!("its colours are {name} ({photometric}); save it as PNG"));
            }
        };
        if !bits_read.contains(&bits) {
            return Err(format!(
                "its samples have {bits} bits, where {bits_read:?} are read as colours; save it as PNG, or read them as they are by \
                 `views.range`"
            ));
        }
        // More are of several images at once, and colours and transparency are not told from them.
        let most = if least == 1 { 2 } else { 6 };
        let samples = usize::from(samples);
        if !(least..=most).contains(&samples) && !is_jpeg || samples > 1 && bits < 8 {
            return Err(format!(
                "its pixels have {samples} samples of {bits} bits; save it as PNG, or read them all by `views.channels = {samples}`"
            ));
        }
        let extra: Option<Vec<u16>> = decoder.find_tag_unsigned_vec(Tag::ExtraSamples).map_err(said)?;
        let multiplied = extra.is_some_and(|extra| extra.first() == Some(&1));
        Ok(Colors {
            is_multiplied: matches!(kind, Kind::Rgb) && multiplied && samples > 3,
            kind,
            bits,
            samples,
        })
    }

    /// Returns true if the samples are gray.
    pub(super) fn is_gray(&self) -> bool {
        matches!(self.kind, Kind::Gray | Kind::Inverted)
    }

    /// Adds to `row` the samples of row `y`, of `width` pixels, which lie in one plane or in one for each. None where they
    /// are too few.
    pub(super) fn row(&self, planes: &[Vec<u8>], y: usize, width: usize, row: &mut Vec<u8>) -> Option<()> {
        let line = |plane: &'_ Vec<u8>, stride: usize| Some(plane.get(y * stride..)?.get(..stride)?.to_vec());
        match planes {
            [packed] if self.bits < 8 => {
                let bits = usize::from(self.bits);
                let (most, per_byte) = ((1 << bits) - 1, 8 / bits);
                let line = line(packed, width.div_ceil(per_byte))?;
                let parts = line
                    .iter()
                    .flat_map(|byte| (1..=per_byte).map(move |part| byte >> (8 - part * bits)));
                row.extend(parts.take(width).map(|sample| sample & most));
            }
            [one] => row.extend_from_slice(one.get(y * width * self.samples..)?.get(..width * self.samples)?),
            planes => {
                let lines: Option<Vec<_>> = planes.iter().map(|plane| line(plane, width)).collect();
                let lines = lines?;
                row.extend((0..width).flat_map(|x| lines.iter().map(move |line| line[x])));
            }
        }
        Some(())
    }

    /// Adds to `rgb` the colours of a row of samples.
    pub(super) fn to_rgb(&self, row: &[u8], rgb: &mut Vec<u8>) {
        let pixels = row.chunks_exact(self.samples);
        match &self.kind {
            Kind::Gray | Kind::Inverted => {
                // White of so many bits; those of 16 and 32 have become bytes.
                let scale = 255 / ((1u16 << self.bits.min(8)) - 1) as u8;
                // PIL leaves those of 32 bits.
                let mask = if matches!(self.kind, Kind::Inverted) && self.bits < 32 {
                    255
                } else {
                    0
                };
                rgb.extend(pixels.flat_map(|pixel| [(pixel[0] * scale) ^ mask; 3]));
            }
            Kind::Palette(colors) => {
                let indices: Vec<u8> = pixels.map(|pixel| pixel[0]).collect();
                rgb.extend(palette::colored(&indices, colors));
            }
            Kind::Cmyk => rgb.extend(pixels.flat_map(|pixel| cmyk::to_rgb([pixel[0], pixel[1], pixel[2], pixel[3]]))),
            Kind::Rgb if self.is_multiplied => rgb.extend(pixels.flat_map(|pixel| {
                let divided = |sample: u8| match pixel[3] {
                    0 => 0,
                    clear => (u32::from(sample) * 255 / u32::from(clear)).min(255) as u8,
                };
                [divided(pixel[0]), divided(pixel[1]), divided(pixel[2])]
            })),
            Kind::Rgb if self.samples == 3 => rgb.extend_from_slice(row),
            Kind::Rgb | Kind::Jpeg => rgb.extend(pixels.flat_map(|pixel| &pixel[..3])),
        }
    }
}

/// The palette: all reds, greens and blues of 16 bits.
fn map(decoder: &mut Decoder<Raw<'_>>, bits: u8) -> Result<Vec<[u8; 3]>, String> {
    let values: Option<Vec<u16>> = decoder.find_tag_unsigned_vec(Tag::ColorMap).map_err(said)?;
    let values = values.ok_or("it has no palette")?;
    let count = 1 << bits.min(8);
    if values.len() < 3 * count {
        return Err(format!(
            "its palette has {} values, where {} belong",
            values.len(),
            3 * count
        ));
    }
    let color = |index| [0, 1, 2].map(|channel| (values[channel * (values.len() / 3) + index] >> 8) as u8);
    Ok((0..count).map(color).collect())
}

/// Samples as bytes: of 16 bits the higher eight, of gray ones of 32 or with a sign what is between 0 and 255, as with PIL.
/// None of other kinds.
pub(super) fn eight_bits(samples: DecodingResult, is_gray: bool) -> Option<Vec<u8>> {
    Some(match samples {
        DecodingResult::U8(samples) => samples,
        DecodingResult::I8(samples) => samples.into_iter().map(|sample| sample as u8).collect(),
        DecodingResult::U16(samples) => samples.into_iter().map(|sample| (sample >> 8) as u8).collect(),
        _ if !is_gray => return None,
        DecodingResult::I16(samples) => samples.into_iter().map(|sample| sample.clamp(0, 255) as u8).collect(),
        // To PIL they have a sign.
        DecodingResult::U32(samples) => samples
            .into_iter()
            .map(|sample| (sample as i32).clamp(0, 255) as u8)
            .collect(),
        DecodingResult::I32(samples) => samples.into_iter().map(|sample| sample.clamp(0, 255) as u8).collect(),
        DecodingResult::F32(samples) => samples.into_iter().map(|sample| sample as u8).collect(),
        _ => return None,
    })
}
