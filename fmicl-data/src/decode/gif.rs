//! GIF files: the first frame on its screen, as PIL shows it.

use super::{TRUNCATED, palette};
use fmicl_core::Image;
use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};
use std::borrow::Cow;
use std::io::Cursor;

/// A file whose header has been read, up to the first frame.
pub(super) struct Gif<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    decoder: Decoder<Cursor<Cow<'a, [u8]>>>,
}

impl<'a> Gif<'a> {
    /// Returns true if these bytes begin as a GIF does.
    pub(super) fn is(bytes: &[u8]) -> bool {
        bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a")
    }

    /// Reads the header.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::Indexed);
        // The number of pixels is checked by the caller.
        options.set_memory_limit(MemoryLimit::Unlimited);
        options.allow_unknown_blocks(true);
        let mut decoder = options.read_info(Cursor::new(with_palette(bytes))).map_err(said)?;
        let screen = (decoder.width(), decoder.height());
        let frame = decoder.next_frame_info().map_err(said)?;
        let frame = frame.ok_or("it has no frame")?;
        // A frame that leaves the screen makes it larger.
        let side = |screen: u16, from: u16, length: u16| usize::from(screen).max(from as usize + length as usize);
        Ok(Gif {
            width: side(screen.0, frame.left, frame.width),
            height: side(screen.1, frame.top, frame.height),
            decoder,
        })
    }

    /// The pixels. Around the frame, the screen has the colour of what is transparent, or the first.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn decode(mut self) -> Result<Image, String> {
        let frame = self.decoder.current_frame_info().ok_or("it has no frame")?.clone();
        let mut indices = vec![0; self.decoder.buffer_size()];
        let read = self.decoder.read_into_buffer(&mut indices);
        read.map_err(said)?;
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let frame_width = usize::from(frame.width);
        let mut screen = vec![frame.transparent.unwrap_or(0); self.width * self.height];
        if frame_width > 0 {
            let rows = screen.chunks_exact_mut(self.width).skip(top);
            for (row, indices) in rows.zip(indices.chunks_exact(frame_width)) {
                row[left..][..frame_width].copy_from_slice(indices);
            }
        }
        let colors = frame.palette.as_deref().or(self.decoder.global_palette());
        let (colors, _) = colors.unwrap_or_default().as_chunks();
        Ok(Image::new(self.width, self.height, palette::colored(&screen, colors)))
    }
}

fn said(error: DecodingError) -> String {
    match error {
        DecodingError::UnexpectedEof => TRUNCATED.into(),
        error => error.to_string(),
    }
}

/// The file with grays as everyone's palette if it has none: what PIL shows, and the decoder asks for.
fn with_palette(bytes: &[u8]) -> Cow<'_, [u8]> {
    const HEADER: usize = 13;
    const FLAGS: usize = 10;
    // It is there, and has 256 colours.
    const PALETTE: u8 = 0x87;
    match bytes.split_at_checked(HEADER) {
        Some((header, rest)) if header[FLAGS] & 0x80 == 0 => {
            let mut file = header.to_vec();
            file[FLAGS] |= PALETTE;
            file.extend((0..=255).flat_map(|gray| [gray; 3]));
            file.extend_from_slice(rest);
            file.into()
        }
        _ => bytes.into(),
    }
}
