//! From the bytes of a file to pixels.

mod jpeg;
mod png;

pub use jpeg::JPEG_SIMD;

use fmicl_core::{Error, Image, Patch, Region, Result};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};
use jpeg::Jpeg;
use png::Png;
use std::io::Cursor;
use std::path::Path;

/// The most pixels that are decoded: what PIL takes for a decompression bomb.
const MOST: u64 = 178_956_970;
/// The most bytes of an image file: no format takes more for as many pixels, at 16 bits a channel and with transparency.
pub(crate) const MOST_FILE: u64 = 2 << 30;
/// The most pixels that a byte can stand for: in a PNG of one bit a pixel, deflate packs 1,032 bytes into one. JPEG, BMP and
/// PNM are below. What a header claims beyond that is not allocated.
const MOST_A_BYTE: u64 = 8 * 1032;
/// The same of TIFF, where a bit can stand for an empty row of a fax: of 8,192 pixels at most.
const MOST_A_BYTE_OF_TIFF: u64 = 8 * 8192;

/// Decodes what `choose` picks of an image, and perhaps more; see [`fmicl_core::Samples::patch`]. The format is told by
/// the content: ImageNet has a PNG that is called .JPEG.
///
/// JPEG and PNG files are decoded as PIL does it, to the bit, and damaged ones refused where PIL refuses them; CMYK ones and
/// the other formats are decoded by the `image` crate. Gray, palette and transparent images become RGB as with PIL's
/// `convert("RGB")`; but colours that a TIFF has multiplied by its transparency stay so, where PIL divides them again. Samples of
/// 16 bits become their higher eight in PNG and in colours of TIFF, and are scaled elsewhere. The orientation that a file
/// states is applied to TIFF alone, as PIL does when it loads one.
///
/// # Errors
/// [`Error::Data`] with `path` where the bytes are broken or truncated, or have no or too many pixels.
pub fn decode(bytes: &[u8], path: &Path, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'static>> {
    let broken = |error: String| Error::data(path, format!("cannot be decoded: {error}"));
    let check = |width, height, most| check_size(path, bytes, width, height, most);
    if bytes.is_empty() {
        return Err(Error::data(path, "is empty"));
    }
    if let Some(jpeg) = Jpeg::open(bytes) {
        check(jpeg.width as u64, jpeg.height as u64, MOST_A_BYTE)?;
        let region = choose(jpeg.width, jpeg.height);
        return jpeg.decode(region).map_err(broken);
    }
    if Png::is(bytes) {
        let png = Png::open(bytes).map_err(broken)?;
        let (width, height) = (png.width, png.height);
        check(width as u64, height as u64, MOST_A_BYTE)?;
        choose(width, height);
        return Ok(Image::new(width, height, png.decode().map_err(broken)?).into());
    }
    let refused = |error: ImageError| match error {
        ImageError::Unsupported(error) => broken(format!("{error}; save it as PNG")),
        error => broken(error.to_string()),
    };
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let reader = reader.map_err(|error| broken(error.to_string()))?;
    let format = reader.format();
    let most_a_byte = match format {
        // Of one colour it takes no bits at all.
        Some(ImageFormat::WebP) => u64::MAX,
        Some(ImageFormat::Tiff) => MOST_A_BYTE_OF_TIFF,
        _ => MOST_A_BYTE,
    };
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    check(width.into(), height.into(), most_a_byte)?;
    let is_tiff = format == Some(ImageFormat::Tiff);
    // A tag that cannot be read is none to PIL, either.
    let orientation = is_tiff.then(|| decoder.orientation().ok()).flatten();
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(refused)?;
    decoded.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    choose(width, height);
    let pixels = match decoded {
        DynamicImage::ImageRgb16(samples) if is_tiff => higher_bytes::<3>(&samples),
        DynamicImage::ImageRgba16(samples) if is_tiff => higher_bytes::<4>(&samples),
        other => other.into_rgb8().into_raw(),
    };
    Ok(Image::new(width, height, pixels).into())
}

/// The first three samples of each pixel of so many, without their lower bits.
fn higher_bytes<const CHANNELS: usize>(samples: &[u16]) -> Vec<u8> {
    let colors = samples.chunks_exact(CHANNELS).flat_map(|pixel| &pixel[..3]);
    colors.map(|sample| (sample >> 8) as u8).collect()
}

fn check_size(path: &Path, bytes: &[u8], width: u64, height: u64, most_a_byte: u64) -> Result<()> {
    let (pixels, length) = (width.saturating_mul(height), bytes.len() as u64);
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

    fn golden(name: &str) -> Vec<u8> {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/formats").join(name)).unwrap()
    }

    fn whole(name: &str) -> Result<Patch<'static>> {
        decode(&golden(name), Path::new(name), &mut Region::whole)
    }

    #[test]
    fn pixels_of_every_format_are_pils_to_the_bit_and_what_pil_refuses_is_refused() {
        // Read within one, or refused.
        const OTHERS: [&str; 7] = [
            "555.bmp",
            "565.bmp",
            "100.pgm",
            "100.ppm",
            "gray-alpha.tif",
            "palette.tif",
            "fewer-rows.png",
        ];
        let (mut read, mut refused) = (0, 0);
        for line in String::from_utf8(golden("pixels.txt")).unwrap().lines() {
            let words: Vec<_> = line.split(' ').collect();
            let found = whole(words[0]);
            match words[..] {
                [name, "refused"] => {
                    let error = found.map(|_| ()).unwrap_err().to_string();
                    assert!(error.starts_with(&format!("{name}: ")), "{error}");
                    refused += 1;
                }
                [name, ..] if OTHERS.contains(&name) => {}
                [name, width, height, expected] => {
                    let found = found.unwrap();
                    let mut sum = flate2::Crc::new();
                    sum.update(&found.pixels);
                    let size = Region::whole(width.parse().unwrap(), height.parse().unwrap());
                    assert_eq!(
                        (found.region, sum.sum().to_string()),
                        (size, expected.to_string()),
                        "{name}"
                    );
                    read += 1;
                }
                _ => panic!("{line}"),
            }
        }
        assert!(read > 60 && refused > 10, "{read} read, {refused} refused");
    }

    #[test]
    fn samples_of_other_than_eight_bits_are_pils_within_one() {
        for name in ["555.bmp", "565.bmp", "100.pgm", "100.ppm"] {
            let (found, expected) = (whole(name).unwrap().pixels, golden(&format!("{name}.rgb")));
            assert_eq!(found.len(), expected.len(), "{name}");
            let off = found.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(off <= Some(1), "{name} is off by {off:?}");
        }
    }

    #[test]
    fn errors_say_what_is_wrong_with_a_file() {
        let cases = [
            ("empty.png", "empty.png: is empty"),
            ("half.png", "cannot be decoded: the file is truncated"),
            ("header-only.png", "cannot be decoded: the file ends before its pixels"),
            (
                "header-crc.png",
                "cannot be decoded: the checksum of its chunk IHDR is wrong",
            ),
            ("palette.tif", "[8] is unsupported; save it as PNG"),
            ("gray-alpha.tif", "; save it as PNG"),
            // PIL makes black ones of those that are missing.
            ("fewer-rows.png", "cannot be decoded: the file is truncated"),
        ];
        for (name, expected) in cases {
            let error = whole(name).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn an_image_of_one_colour_may_be_of_any_size_where_the_format_allows_it() {
        let length = golden("one-colour.webp").len() as u64;
        assert!(4000 * 3000 > length * MOST_A_BYTE, "{length} bytes");
        let patch = whole("one-colour.webp").unwrap();
        assert!(patch.pixels.chunks_exact(3).all(|pixel| pixel == [10, 200, 30]));
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
