//! The samples of a PNG as they are stored.

use super::Png;
use fmicl_core::{BandSamples, Bands};
use png::{BitDepth, ColorType, DecodeOptions, Decoder, Limits, Transformations};
use std::io::Cursor;

impl Png {
    /// The samples with their alpha; none of a palette, or of less than 8 bits.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(in crate::decode) fn bands(&self) -> Result<Option<Bands>, String> {
        let mut options = DecodeOptions::default();
        options.set_ignore_crc(true);
        let mut decoder = Decoder::new_with_options(Cursor::new(&self.chunks), options);
        // The number of pixels is checked by the caller.
        decoder.set_limits(Limits { bytes: usize::MAX });
        decoder.set_transformations(Transformations::IDENTITY);
        let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
        let (color, depth) = reader.output_color_type();
        if color == ColorType::Indexed || !matches!(depth, BitDepth::Eight | BitDepth::Sixteen) {
            return Ok(None);
        }
        let length = reader.output_buffer_size().ok_or("it is too large")?;
        let mut bytes = vec![0; length];
        reader.next_frame(&mut bytes).map_err(|error| error.to_string())?;
        let samples = match depth {
            BitDepth::Sixteen => {
                let (pairs, _) = bytes.as_chunks();
                let numbers = pairs.iter().map(|pair| f32::from(u16::from_be_bytes(*pair)));
                BandSamples::Numbers(numbers.collect(), "of 16 bits")
            }
            _ => BandSamples::Bytes(bytes),
        };
        Ok(Some(Bands {
            width: self.width,
            height: self.height,
            channels: color.samples(),
            samples,
        }))
    }
}
