//! From the bytes of a file to pixels.

use crate::jpeg::Jpeg;
use fmicl_core::{Error, Image, Patch, Region, Result};
use image::{DynamicImage, ImageDecoder, ImageReader};
use std::io::Cursor;
use std::path::Path;

/// The most pixels that are decoded: what PIL takes for a decompression bomb.
const MOST: u64 = 178_956_970;
/// The most bytes of an image file: no format takes more for as many pixels, at 16 bits a channel and with transparency.
pub(crate) const MOST_FILE: u64 = 2 << 30;
/// The most pixels that a byte can stand for: in a PNG of one bit a pixel, deflate packs 1,032 bytes into one. JPEG is
/// below. What a header claims beyond that is not allocated.
const MOST_A_BYTE: u64 = 8 * 1032;

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
        check_size(path, bytes, jpeg.width as u64, jpeg.height as u64)?;
        let region = choose(jpeg.width, jpeg.height);
        return jpeg.decode(region).map_err(broken);
    }
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let reader = reader.map_err(|error| broken(error.to_string()))?;
    let decoder = reader.into_decoder().map_err(|error| broken(error.to_string()))?;
    let (width, height) = decoder.dimensions();
    check_size(path, bytes, width.into(), height.into())?;
    let decoded = DynamicImage::from_decoder(decoder).map_err(|error| broken(error.to_string()))?;
    let (width, height) = (width as usize, height as usize);
    choose(width, height);
    Ok(Image::new(width, height, decoded.into_rgb8().into_raw()).into())
}

fn check_size(path: &Path, bytes: &[u8], width: u64, height: u64) -> Result<()> {
    let (pixels, length) = (width.saturating_mul(height), bytes.len() as u64);
    let message = match pixels {
        0 => "has no pixels".into(),
        _ if pixels > length.saturating_mul(MOST_A_BYTE) => {
            format!(
                "{length} bytes cannot hold the {width} x {height} pixels that its header claims; the file is broken"
            )
        }
        _ if pixels > MOST => format!("{width} x {height} pixels are more than {MOST}; make it smaller"),
        _ => return Ok(()),
    };
    Err(Error::data(path, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn error(bytes: &[u8]) -> String {
        decode(bytes, Path::new("photo"), &mut Region::whole)
            .unwrap_err()
            .to_string()
    }

    /// A JPEG whose header claims this size.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = include_bytes!("../golden/jpeg/tiny.jpg").to_vec();
        let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        bytes[frame + 5..][..2].copy_from_slice(&height.to_be_bytes());
        bytes[frame + 7..][..2].copy_from_slice(&width.to_be_bytes());
        bytes
    }

    /// The header of a PNG of this size, and nothing else.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let chunk = |kind: &[u8], data: &[u8]| {
            let body = [kind, data].concat();
            let mut sum = flate2::Crc::new();
            sum.update(&body);
            [
                &(data.len() as u32).to_be_bytes(),
                body.as_slice(),
                &sum.sum().to_be_bytes(),
            ]
            .concat()
        };
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&[0; 100]).unwrap();
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IHDR", &[size.as_slice(), &[8, 2, 0, 0, 0]].concat()),
            chunk(b"IDAT", &packed.finish().unwrap()),
            chunk(b"IEND", &[]),
        ]
        .concat()
    }

    #[test]
    fn a_size_that_the_file_cannot_hold_is_refused() {
        for bytes in [jpeg(65_500, 65_500), png(65_500, 65_500)] {
            let expected = format!("photo: {} bytes cannot hold the 65500 x 65500 pixels that", bytes.len());
            assert!(error(&bytes).starts_with(&expected), "{}", error(&bytes));
        }
        // As much of a PNG as that is padding: the cap for every file comes next.
        let padded = [png(20_000, 20_000), vec![0; 50_000]].concat();
        assert!(
            error(&padded).contains("20000 x 20000 pixels are more than 178956970"),
            "{}",
            error(&padded)
        );
    }
}
