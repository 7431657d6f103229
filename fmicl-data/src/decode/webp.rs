//! WebP files with `image-webp`, of an animation the first frame.
//!
//! libwebp, and with it PIL, puts the first frame on a clear canvas as it is. The crate blends it, and rounds.

use super::{MOST_A_BYTE, TRUNCATED, said};
use fmicl_core::Image;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder};
use std::borrow::Cow;
use std::io::Cursor;

/// A file whose header has been read.
pub(super) struct WebP<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Of an animation, where its first frame lies on the canvas.
    corner: Option<(usize, usize)>,
    decoder: WebPDecoder<Cursor<Cow<'a, [u8]>>>,
}

impl<'a> WebP<'a> {
    /// Returns true if these bytes begin as a WebP does.
    pub(super) fn is(bytes: &[u8]) -> bool {
        bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")
    }

    /// Reads the header.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let length = bytes.get(4..8).and_then(|length| length.first_chunk());
        let length = length.map_or(0, |length| u32::from_le_bytes(*length) as usize);
        if length > bytes.len() - 8 {
            return Err(TRUNCATED.into());
        }
        let open = |bytes| WebPDecoder::new(Cursor::new(bytes)).map_err(said);
        let animation = Animation::first(bytes);
        let decoder = match &animation {
            Some(animation) => open(Cow::Owned(animation.still()))?,
            None => open(Cow::Borrowed(bytes))?,
        };
        let (width, height) = decoder.dimensions();
        let (width, height) = (width as usize, height as usize);
        let Some(Animation { left, top, canvas, .. }) = animation else {
            return Ok(WebP {
                width,
                height,
                corner: None,
                decoder,
            });
        };
        if left + width > canvas.0 || top + height > canvas.1 {
            return Err("its first frame leaves the canvas".into());
        }
        Ok(WebP {
            width: canvas.0,
            height: canvas.1,
            corner: Some((left, top)),
            decoder,
        })
    }

    /// The most pixels that a byte can stand for. An image of one colour takes no bits at all; but the canvas of an animation is no
    /// image, and that around a small frame costs a writer nothing.
    pub(super) fn most_a_byte(&self) -> u64 {
        let (width, height) = self.decoder.dimensions();
        let is_frame = (width as usize, height as usize) == (self.width, self.height);
        if is_frame { u64::MAX } else { MOST_A_BYTE }
    }

    /// The pixels.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn decode(self) -> Result<Image, String> {
        let frame = DynamicImage::from_decoder(self.decoder).map_err(said)?;
        let (width, frame) = (frame.width() as usize, frame.into_rgb8().into_raw());
        let Some((left, top)) = self.corner else {
            return Ok(Image::new(self.width, self.height, frame));
        };
        let mut pixels = vec![0; self.width * self.height * 3];
        let rows = pixels.chunks_exact_mut(self.width * 3).skip(top);
        for (row, frame) in rows.zip(frame.chunks_exact(width * 3)) {
            row[left * 3..][..width * 3].copy_from_slice(frame);
        }
        Ok(Image::new(self.width, self.height, pixels))
    }
}

/// The first frame of an animation.
struct Animation<'a> {
    canvas: (usize, usize),
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    /// The chunks of its pixels and their transparency.
    chunks: &'a [u8],
}

impl<'a> Animation<'a> {
    /// That of a file; none where it is no animation, or is broken before the frame: the decoder says how.
    fn first(bytes: &'a [u8]) -> Option<Self> {
        const ANIMATED: u8 = 2;
        let (kind, header, mut rest) = chunk(bytes.get(12..)?)?;
        if kind != b"VP8X" || header.first()? & ANIMATED == 0 {
            return None;
        }
        let frame = loop {
            let (kind, data, behind) = chunk(rest)?;
            rest = behind;
            if kind == b"ANMF" {
                break data;
            }
        };
        Some(Animation {
            canvas: (number(header, 4)? + 1, number(header, 7)? + 1),
            left: number(frame, 0)? * 2,
            top: number(frame, 3)? * 2,
            width: number(frame, 6)? + 1,
            height: number(frame, 9)? + 1,
            chunks: frame.get(16..)?,
        })
    }

    /// A file of the frame alone.
    fn still(&self) -> Vec<u8> {
        // Lossy pixels without transparency of their own must not promise any.
        let transparent = if self.chunks.starts_with(b"VP8 ") { 0 } else { 16 };
        let sides = [self.width - 1, self.height - 1].map(|side| (side as u32).to_le_bytes());
        let mut file = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0".to_vec();
        file.extend([transparent, 0, 0, 0]);
        file.extend(sides.iter().flat_map(|side| &side[..3]));
        file.extend_from_slice(self.chunks);
        let length = (file.len() - 8) as u32;
        file[4..8].copy_from_slice(&length.to_le_bytes());
        file
    }
}

/// The first chunk, of which there may be less than it says: its name, its data, and what is behind it.
fn chunk(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = bytes.split_at_checked(4)?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (data, _) = rest.split_at(length.min(rest.len()));
    Some((name, data, rest.get(length.next_multiple_of(2)..).unwrap_or_default()))
}

/// The number of three bytes at `at`.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 3)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | usize::from(byte)),
    )
}
