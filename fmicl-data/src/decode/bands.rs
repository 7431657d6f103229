//! From the bytes of a file to the samples that it stores: of more channels than colours have, or of other numbers than bytes.

use super::npy::Npy;
use super::png::Png;
use super::tiff::{Stored, Tiff};
use super::{MOST, MOST_A_BYTE, check_size, decode};
use fmicl_core::{BandSamples, Bands, Error, Image, Region, Result};
use std::path::Path;

/// The most bytes of samples that a byte of a TIFF can stand for, where they are not bits: LZW's longest string of codes of 12
/// bits. Deflate packs less.
const MOST_OF_A_BYTE: u64 = 4096;

/// Decodes the samples of an image as its file stores them: those of TIFF and PNG without a palette, and of numpy's arrays, of
/// which `channels` tells the axes; what has colours of another kind, such as a JPEG, becomes RGB as with [`decode`](super::decode()).
///
/// # Errors
/// [`Error::Data`] with `path` where the bytes are broken, truncated or of no format that is read, have no or too many
/// samples, or other channels than `channels`.
pub fn decode_bands(bytes: &[u8], path: &Path, channels: usize) -> Result<Bands> {
    let broken = |error: String| Error::data(path, format!("cannot be decoded: {error}"));
    let fits = |found: usize| match found == channels {
        true => Ok(()),
        false => Err(Error::data(path, other_channels(found, channels))),
    };
    if Npy::is(bytes) {
        return Npy::open(bytes).and_then(|array| array.bands(channels)).map_err(broken);
    }
    if Tiff::is(bytes)
        && let Some(stored) = Stored::open(bytes).map_err(broken)?
    {
        fits(stored.channels)?;
        let (width, height) = (stored.width, stored.height);
        check_size(path, bytes, width, height, u64::MAX)?;
        let samples = (width * height) as u64 * channels as u64;
        if samples > MOST {
            let message = format!(
                "{width} x {height} pixels of {channels} channels are more than {MOST} samples; cut it into tiles"
            );
            return Err(Error::data(path, message));
        }
        if samples * stored.bits as u64 / 8 > bytes.len() as u64 * MOST_OF_A_BYTE {
            let length = bytes.len();
            let message = format!(
                "{length} bytes cannot hold the {width} x {height} pixels of {channels} channels that its header claims; the file \
                 is broken"
            );
            return Err(Error::data(path, message));
        }
        return stored.decode().map_err(broken);
    }
    if Png::is(bytes) {
        let png = Png::open(bytes).map_err(broken)?;
        check_size(path, bytes, png.width, png.height, MOST_A_BYTE)?;
        if let Some(bands) = png.bands().map_err(broken)? {
            return fits(bands.channels).map(|()| bands);
        }
    }
    let patch = decode(bytes, path, &mut Region::whole)?;
    let image = Image::new(patch.region.width, patch.region.height, patch.pixels.into_owned());
    if let (1, Some(gray)) = (channels, gray(&image)) {
        return Ok(gray);
    }
    fits(3).map(|()| image.into())
}

/// What is wrong with an image of other channels than the views have.
pub(crate) fn other_channels(found: usize, channels: usize) -> String {
    format!("has {found} channel(s), and views.channels is {channels}")
}

/// One channel of an image that has three equal ones.
fn gray(image: &Image) -> Option<Bands> {
    let (pixels, _) = image.pixels.as_chunks();
    let gray = pixels
        .iter()
        .map(|&[red, green, blue]| (red == green && green == blue).then_some(red));
    Some(Bands {
        width: image.width,
        height: image.height,
        channels: 1,
        samples: BandSamples::Bytes(gray.collect::<Option<_>>()?),
    })
}

#[cfg(test)]
mod tests;
