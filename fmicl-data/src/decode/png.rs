//! PNG files as PIL reads them, damaged ones included.
//!
//! PIL checks the checksum of every chunk before the pixels, and none behind them; it needs no end. The `png` crate is
//! given no more than the header, the palette and the pixels of a file, so that nothing else can be wrong with it.

mod bands;

use super::TRUNCATED;
use flate2::read::ZlibDecoder;
use fmicl_core::Image;
use png::{ColorType, DecodeOptions, Decoder, InterlaceInfo, Limits, Transformations};
use std::io::{self, Cursor, ErrorKind};
use std::ops::Range;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const NO_PIXELS: &str = "the file ends before its pixels";

/// A file whose chunks have been read.
pub(crate) struct Png {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// A file of the chunks that say what the pixels are.
    chunks: Vec<u8>,
    /// Where the data of the pixels lie in it.
    data: Range<usize>,
}

impl Png {
    /// Returns true if these bytes begin as a PNG does.
    pub(crate) fn is(bytes: &[u8]) -> bool {
        bytes.starts_with(SIGNATURE)
    }

    /// Reads the chunks.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn open(bytes: &[u8]) -> Result<Self, String> {
        let mut chunks = SIGNATURE.to_vec();
        let mut pixels: Option<Vec<u8>> = None;
        let mut rest = bytes.get(SIGNATURE.len()..).unwrap_or_default();
        while let Some(Chunk { kind, length, from }) = Chunk::first(rest) {
            let (data, behind) = from.split_at(length.min(from.len()));
            let is_whole = data.len() == length;
            match &kind {
                // Of a part the decoder says whether it is enough.
                b"IDAT" => pixels.get_or_insert_default().extend_from_slice(data),
                b"IEND" => break,
                _ if pixels.is_some() && is_whole => {}
                _ if pixels.is_some() => return Err("a chunk after the pixels is truncated".into()),
                _ => {
                    check_sum(kind, data, behind.first_chunk().filter(|_| is_whole))?;
                    if matches!(&kind, b"IHDR" | b"PLTE") {
                        push(&mut chunks, kind, data);
                    }
                }
            }
            rest = behind.get(4..).unwrap_or_default();
        }
        let pixels = pixels.ok_or(NO_PIXELS)?;
        let number = |at: usize| {
            chunks
                .get(at..)?
                .first_chunk()
                .map(|bytes| u32::from_be_bytes(*bytes) as usize)
        };
        // The signature, a length and `IHDR` come first.
        let size = (number(16), number(20), chunks.get(12..16) == Some(b"IHDR"));
        let (Some(width), Some(height), true) = size else {
            return Err("its first chunk is not a header".into());
        };
        let data = chunks.len() + 8..chunks.len() + 8 + pixels.len();
        push(&mut chunks, *b"IDAT", &pixels);
        // What the decoder has read and not yet unpacked it gives out when it comes to the next chunk.
        push(&mut chunks, *b"IEND", &[]);
        Ok(Png {
            width,
            height,
            chunks,
            data,
        })
    }

    /// The pixels without their alpha: of samples of 16 bits the higher eight, of gray ones three times the same.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn decode(self) -> Result<Image, String> {
        let mut options = DecodeOptions::default();
        options.set_ignore_crc(true);
        options.set_ignore_adler32(false);
        let mut decoder = Decoder::new_with_options(Cursor::new(&self.chunks), options);
        // The number of pixels is checked by the caller.
        decoder.set_limits(Limits { bytes: usize::MAX });
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
        let channels = reader.output_color_type().0.samples();
        let stride = self.width * 3;
        // Of rows that are missing the pixels are 0, which can be a palette's first colour.
        let palette = reader
            .info()
            .palette
            .as_deref()
            .and_then(|palette| palette.first_chunk());
        let is_indexed = reader.info().color_type == ColorType::Indexed;
        let zero = palette.filter(|_| is_indexed).copied().unwrap_or([0; 3]);
        let mut pixels = zero.repeat(self.width * self.height);
        let bits = reader.info().bits_per_pixel();
        let (mut rgb, mut rows, mut length) = (Vec::with_capacity(stride), 0, 0);
        let all_rows = match reader.info().interlaced {
            true => interlaced_rows(self.width, self.height),
            false => self.height,
        };
        loop {
            match reader.next_interlaced_row() {
                Ok(Some(row)) => {
                    rows += 1;
                    rgb.clear();
                    to_rgb(row.data(), channels, &mut rgb);
                    // The number of its filter comes first.
                    length += 1 + (rgb.len() / 3 * bits).div_ceil(8) as u64;
                    match row.interlace() {
                        InterlaceInfo::Null(_) => pixels[(rows - 1) * stride..][..stride].copy_from_slice(&rgb),
                        InterlaceInfo::Adam7(pass) => png::expand_interlaced_row(&mut pixels, stride, &rgb, pass, 24),
                    }
                }
                Ok(None) => break,
                Err(error) => match self.unpacked() {
                    // The checksum behind the last row may be missing, but not wrong.
                    Err(why) if rows == all_rows && is_end(&why) => break,
                    // PIL is content with fewer rows if nothing but their number is wrong.
                    Ok(all) if rows > 0 && all == length => break,
                    Err(why) if !is_end(&why) => return Err(error.to_string()),
                    _ => return Err(TRUNCATED.into()),
                },
            }
        }
        Ok(Image::new(self.width, self.height, pixels))
    }

    /// The length of the pixels' data.
    ///
    /// # Errors
    /// They break off, or they or their checksum are wrong.
    fn unpacked(&self) -> io::Result<u64> {
        let data = self.chunks.get(self.data.clone()).unwrap_or_default();
        io::copy(&mut ZlibDecoder::new(data), &mut io::sink())
    }
}

/// The start of a chunk.
struct Chunk<'a> {
    kind: [u8; 4],
    /// The bytes of its data, of which there may be fewer.
    length: usize,
    /// The file from its data on.
    from: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The chunk that `bytes` begin with; none at the end, or where they are none.
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (kind, from) = rest.split_first_chunk()?;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        kind.iter().all(is_name).then_some(Chunk {
            kind: *kind,
            length: u32::from_be_bytes(*length) as usize,
            from,
        })
    }
}

/// That `sum`, where the file has it, is the checksum of a chunk.
fn check_sum(kind: [u8; 4], data: &[u8], sum: Option<&[u8; 4]>) -> Result<(), String> {
    let mut found = flate2::Crc::new();
    found.update(&kind);
    found.update(data);
    match found.sum().to_be_bytes() == *sum.ok_or(NO_PIXELS)? {
        true => Ok(()),
        false => Err(format!("the checksum of its chunk {} is wrong", kind.escape_ascii())),
    }
}

/// Appends a chunk without its checksum.
fn push(chunks: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    chunks.extend_from_slice(&(data.len() as u32).to_be_bytes());
    chunks.extend_from_slice(&kind);
    chunks.extend_from_slice(data);
    chunks.extend_from_slice(&[0; 4]);
}

fn is_end(error: &io::Error) -> bool {
    error.kind() == ErrorKind::UnexpectedEof
}

/// Gray, gray and alpha, RGB, or RGB and alpha.
fn to_rgb(row: &[u8], channels: usize, rgb: &mut Vec<u8>) {
    match channels {
        3 => rgb.extend_from_slice(row),
        4 => rgb.extend(row.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])),
        _ => rgb.extend(row.chunks_exact(channels).flat_map(|pixel| [pixel[0]; 3])),
    }
}

/// The number of rows in the seven passes of Adam7 over an image.
fn interlaced_rows(width: usize, height: usize) -> usize {
    // The first column and row of each pass, and the distance of its rows.
    const PASSES: [(usize, usize, usize); 7] = [
        (0, 0, 8),
        (4, 0, 8),
        (0, 4, 8),
        (2, 0, 4),
        (0, 2, 4),
        (1, 0, 2),
        (0, 1, 2),
    ];
    let rows = PASSES.map(|(column, row, step)| match column < width && row < height {
        true => (height - row).div_ceil(step),
        false => 0,
    });
    rows.iter().sum()
}
