//! From the bytes of a file to pixels.

use crate::jpeg::Jpeg;
use fmicl_core::{Error, Image, Patch, Region, Result};
use image::{DynamicImage, ImageDecoder, ImageReader};
use std::io::Cursor;
use std::path::Path;

/// The most pixels that are decoded: what PIL takes for a decompression bomb.
const MOST: u64 = 178_956_970;

/// Decodes what `choose` picks of an image, and perhaps more; see [`fmicl_core::Samples::patch`]. The format is told by
/// the content: ImageNet has a PNG that is called .JPEG.
///
/// JPEG files are decoded as PIL does it, to the bit; CMYK ones and other formats by the `image` crate. Gray, palette
/// and transparent images become RGB as with PIL's `convert("RGB")`. EXIF orientation is ignored, as in torchvision.
///
/// # Errors
/// [`Error::Data`] with `path` where the bytes are broken or truncated, or have no or too many pixels.
pub fn decode(bytes: &[u8], path: &Path, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'static>> {
    let broken = |error: String| Error::data(path, format!("cannot be decoded: {error}"));
    if let Some(jpeg) = Jpeg::open(bytes) {
        check_size(path, jpeg.width as u64, jpeg.height as u64)?;
        let region = choose(jpeg.width, jpeg.height);
        return jpeg.decode(region).map_err(broken);
    }
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let reader = reader.map_err(|error| broken(error.to_string()))?;
    let decoder = reader.into_decoder().map_err(|error| broken(error.to_string()))?;
    let (width, height) = decoder.dimensions();
    check_size(path, width.into(), height.into())?;
    let decoded = DynamicImage::from_decoder(decoder).map_err(|error| broken(error.to_string()))?;
    let (width, height) = (width as usize, height as usize);
    choose(width, height);
    Ok(Image::new(width, height, decoded.into_rgb8().into_raw()).into())
}

fn check_size(path: &Path, width: u64, height: u64) -> Result<()> {
    match width.saturating_mul(height) {
        0 => Err(Error::data(path, "has no pixels")),
        1..=MOST => Ok(()),
        _ => Err(Error::data(
            path,
            format!("{width} x {height} pixels are more than {MOST}; make it smaller"),
        )),
    }
}
