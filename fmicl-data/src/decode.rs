//! From the bytes of a file to pixels.

mod bands;
mod bmp;
mod cmyk;
mod gif;
mod jpeg;
mod npy;
mod palette;
mod png;
mod pnm;
#[cfg(test)]
mod tests;
mod tiff;
mod unread;
mod webp;

pub use bands::decode_bands;
pub(crate) use bands::other_channels;
pub use jpeg::JPEG_SIMD;

use bmp::Bmp;
use fmicl_core::{Error, Patch, Region, Result};
use gif::Gif;
use image::ImageError;
use jpeg::Jpeg;
use npy::Npy;
use png::Png;
use pnm::Pnm;
use std::io::ErrorKind;
use std::path::Path;
use tiff::Tiff;
use webp::WebP;

/// The most pixels that are decoded: what PIL takes for a decompression bomb.
const MOST: u64 = 178_956_970;
/// The most bytes of an image file: no format takes more for as many pixels, at 16 bits a channel and with transparency.
pub const MOST_FILE: u64 = 2 << 30;
/// The most pixels that a byte can stand for: in a PNG of one bit a pixel, deflate packs 1,032 bytes into one. JPEG, BMP,
/// GIF and PNM are below. What a header claims beyond that is not allocated.
const MOST_A_BYTE: u64 = 8 * 1032;
/// The same of TIFF, where a bit can stand for an empty row of a fax: of 8,192 pixels at most.
const MOST_A_BYTE_OF_TIFF: u64 = 8 * 8192;

/// What is wrong with a file that ends too soon.
const TRUNCATED: &str = "the file is truncated";

/// Decodes what `choose` picks of an image, and perhaps more; see [`fmicl_core::Samples::patch`]. The format is told by
/// the content: ImageNet has a PNG that is called .JPEG. Of an animation or of several images it is the first.
///
/// Pixels are those of PIL's `convert("RGB")`, to the bit, and damaged files are refused where PIL refuses them. Gray of 16
/// bits, of which PIL makes white wherever it is not almost black, is scaled as PIL does with colours: to the higher eight
/// bits, and in PGM to the nearest. Arrays of numpy's are read where they are of bytes, gray or RGB. The orientation that a file states is applied to TIFF alone, as PIL does when it
/// loads one.
///
/// # Errors
/// [`Error::Data`] with `path` where the bytes are broken, truncated or of no format that is read, or have no or too many
/// pixels.
pub fn decode(bytes: &[u8], path: &Path, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'static>> {
    let broken = |error: String| Error::data(path, format!("cannot be decoded: {error}"));
    let check = |width, height, most| check_size(path, bytes, width, height, most);
    if Jpeg::is(bytes) {
        let jpeg = Jpeg::open(bytes).map_err(broken)?;
        check(jpeg.width, jpeg.height, MOST_A_BYTE)?;
        let region = choose(jpeg.width, jpeg.height);
        return jpeg.decode(region).map_err(broken);
    }
    // The others are decoded as a whole.
    macro_rules! whole {
        ($format:ty, $most_a_byte:expr) => {{
            let file = <$format>::open(bytes).map_err(broken)?;
            check(file.width, file.height, $most_a_byte)?;
            file.decode().map_err(broken)?
        }};
    }
    let image = match bytes {
        [] => return Err(Error::data(path, "is empty")),
        _ if Png::is(bytes) => whole!(Png, MOST_A_BYTE),
        _ if WebP::is(bytes) => {
            let file = WebP::open(bytes).map_err(broken)?;
            check(file.width, file.height, file.most_a_byte())?;
            file.decode().map_err(broken)?
        }
        _ if Tiff::is(bytes) => whole!(Tiff, MOST_A_BYTE_OF_TIFF),
        _ if Bmp::is(bytes) => whole!(Bmp, MOST_A_BYTE),
        _ if Gif::is(bytes) => whole!(Gif, MOST_A_BYTE),
        _ if Pnm::is(bytes) => whole!(Pnm, MOST_A_BYTE),
        _ if Npy::is(bytes) => Npy::open(bytes).and_then(|array| array.rgb()).map_err(broken)?,
        _ => return Err(Error::data(path, unread::what(bytes))),
    };
    choose(image.width, image.height);
    Ok(image.into())
}

/// What an error of the crate `image` says.
fn said(error: ImageError) -> String {
    match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => TRUNCATED.into(),
        ImageError::Unsupported(error) => format!("{error}; save it as PNG"),
        error => error.to_string(),
    }
}

fn check_size(path: &Path, bytes: &[u8], width: usize, height: usize, most_a_byte: u64) -> Result<()> {
    let (pixels, length) = ((width as u64).saturating_mul(height as u64), bytes.len() as u64);
    let message = match pixels {
        0 => "has no pixels".into(),
        _ if pixels > length.saturating_mul(most_a_byte) => {
            format!(
                "{length} bytes cannot hold the {width} x {height} pixels that its header claims; the file is broken"
            )
        }
        _ if pixels > MOST => format!("{width} x {height} pixels are more than {MOST}; make it smaller"),
        _ => return Ok(()),
    };
    Err(Error::data(path, message))
}
