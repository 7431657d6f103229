//! Files of every format beside PIL's pixels of them, and files that are refused.

use super::*;
use std::io::Write;
use std::path::PathBuf;

fn error(bytes: &[u8]) -> String {
    decode(bytes, Path::new("photo"), &mut Region::whole)
        .unwrap_err()
        .to_string()
}

/// A JPEG whose header claims this size.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = include_bytes!("../../golden/jpeg/tiny.jpg").to_vec();
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

/// A file of the golden ones; or of a folder for which the script has written what PIL makes of its files.
fn golden(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("FMICL_GOLDEN_FORMATS").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/formats"));
    std::fs::read(folder.join(name)).unwrap()
}

fn whole(name: &str) -> Result<Patch<'static>> {
    decode(&golden(name), Path::new(name), &mut Region::whole)
}

#[test]
fn pixels_of_every_format_are_pils_to_the_bit_and_what_pil_refuses_is_refused() {
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
    assert!(read > 220 && refused > 30, "{read} read, {refused} refused");
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
        (
            "12-bits.jpg",
            "cannot be decoded: its samples have 12 bits; save it with 8",
        ),
        ("cut-header.jpg", "cannot be decoded: "),
        // Only whole rows may be missing.
        ("fewer-half-row.png", "cannot be decoded: the file is truncated"),
        ("seven.tif", "its pixels have 7 samples of 8 bits; save it as PNG"),
        ("palette-missing.tif", "it has no palette"),
        ("no-frame.gif", "the file is truncated"),
        ("cut.tif", "cannot be decoded: the file is truncated"),
        ("cut.webp", "cannot be decoded: the file is truncated"),
        ("palette-cut.bmp", "cannot be decoded: the file is truncated"),
        ("cut.gif", "cannot be decoded: the file is truncated"),
        ("text-above.pgm", "a sample is 245, and its maximum 100"),
        ("text-word.pgm", "`oneone8` stands where a number belongs"),
        ("no-maximum.pgm", "its maximum is 0, where 1 to 65535 can be"),
        ("animated-beyond.webp", "its first frame leaves the canvas"),
    ];
    for (name, expected) in cases {
        let error = whole(name).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn other_formats_are_named_with_a_way_to_convert_them() {
    let cases: [(&[u8], &str); 8] = [
        (
            b"\0\0\0\x20ftypavif\0\0\0\0avifmif1",
            "is an AVIF image, which is not read; convert it to PNG, as by `avifdec photo.avif photo.png`",
        ),
        (
            b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif",
            "is an AVIF image, which is not read; convert it",
        ),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            "is a HEIC image, which is not read; convert it to PNG",
        ),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp42", "is a film, which is not read"),
        (
            b"<!DOCTYPE html>",
            "is text, as of a web page or SVG, which is not read",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1",
            "is a pointer of Git LFS, which is not read; run `git lfs pull`",
        ),
        (b"8BPS\0\x01", "is a Photoshop document, which is not read"),
        (
            b"nothing",
            "is no JPEG, PNG, WebP, TIFF, BMP, GIF, PBM, PGM or PPM image",
        ),
    ];
    for (bytes, expected) in cases {
        assert!(
            error(bytes).starts_with(&format!("photo: {expected}")),
            "{}",
            error(bytes)
        );
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

#[test]
fn a_tag_that_claims_more_values_than_there_are_bytes_is_refused() {
    let mut bytes = golden("big.tif");
    // The tag, its type, and how many values it has.
    let compression = [3, 1, 3, 0, 1, 0, 0, 0];
    let at = bytes.windows(8).position(|window| window == compression).unwrap();
    bytes[at + 7] = 1;
    let expected = format!(
        "photo: cannot be decoded: its tag 259 claims 16777217 values, and the file has {} bytes",
        bytes.len()
    );
    assert_eq!(error(&bytes), expected);
}

#[test]
fn the_canvas_of_an_animation_is_no_larger_than_its_bytes_can_be_of() {
    let mut bytes = golden("animated-lossless-within.webp");
    assert!(decode(&bytes, Path::new("photo"), &mut Region::whole).is_ok());
    // 24 bits a side, less one, in the first chunk.
    bytes[24..30].copy_from_slice(&[0xff, 0x2f, 0, 0xff, 0x2f, 0]);
    let expected = format!("photo: {} bytes cannot hold the 12288 x 12288 pixels", bytes.len());
    assert!(error(&bytes).starts_with(&expected), "{}", error(&bytes));
}

#[test]
fn coefficients_of_a_progressive_file_take_no_more_memory_than_its_bytes_can_be_of() {
    let mut bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/jpeg/progressive.jpg")).unwrap();
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc2]).unwrap();
    bytes[frame + 5..frame + 9].copy_from_slice(&[0x30, 0, 0x30, 0]);
    // Padding behind the end: the size alone is not refused.
    bytes.resize(bytes.len().max(30_000), 0);
    let expected = "photo: cannot be decoded: so few bytes cannot hold its 12288 x 12288 pixels";
    assert_eq!(error(&bytes), expected);
}
