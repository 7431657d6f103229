//! Files of other channels than RGB beside numpy's values of them.

use super::*;
use crate::ImageViews;
use std::path::PathBuf;

fn golden(name: &str) -> Vec<u8> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "golden/bands"].iter().collect();
    std::fs::read(folder.join(name)).unwrap()
}

fn read(name: &str, channels: usize) -> Result<Bands> {
    decode_bands(&golden(name), Path::new(name), channels)
}

fn error(name: &str, channels: usize) -> String {
    read(name, channels).unwrap_err().to_string()
}

fn sum(bytes: impl IntoIterator<Item = u8>) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(&bytes.into_iter().collect::<Vec<_>>());
    sum.sum()
}

/// The bytes of the views, taken together again.
fn scaled(bands: &Bands) -> Vec<u8> {
    let options = format!("channels = {}\nrange = [-100, 4000]", bands.channels);
    let views = ImageViews::new(options.parse().unwrap()).unwrap();
    let triples = views.triples(bands).unwrap();
    let images = triples.images();
    let pixels = (0..bands.width * bands.height)
        .flat_map(|pixel| (0..bands.channels).map(move |channel| images[channel / 3].pixels[3 * pixel + channel % 3]));
    pixels.collect()
}

#[test]
fn samples_are_numpys_to_the_bit_and_so_are_the_bytes_that_a_range_makes_of_them() {
    let (mut found, mut refused) = (0, 0);
    for line in String::from_utf8(golden("values.txt")).unwrap().lines() {
        let words: Vec<_> = line.split(' ').collect();
        if words[1..] == ["refused"] {
            let error = error(words[0], 5);
            assert!(
                error.starts_with(&format!("{}: cannot be decoded: ", words[0])),
                "{error}"
            );
            refused += 1;
            continue;
        }
        let [width, height, channels, floats, bytes] = [1, 2, 3, 4, 5].map(|i| words[i].parse::<u32>().unwrap());
        let bands = read(words[0], channels as usize).unwrap();
        let size = [bands.width, bands.height, bands.channels].map(|count| count as u32);
        assert_eq!(size, [width, height, channels], "{line}");
        let values: Vec<f32> = match &bands.samples {
            BandSamples::Bytes(bytes) => bytes.iter().map(|&byte| byte.into()).collect(),
            BandSamples::Numbers(numbers, _) => numbers.clone(),
        };
        assert_eq!(sum(values.into_iter().flat_map(f32::to_le_bytes)), floats, "{line}");
        assert_eq!(sum(scaled(&bands)), bytes, "{line}");
        found += 1;
    }
    assert!(found > 35 && refused > 20, "{found} read, {refused} refused");
}

#[test]
fn errors_of_arrays_say_what_they_are() {
    let cases = [
        (
            "cut.npy",
            "its array of 5 x 7 x 5 needs more than the 349 bytes that there are; the file is truncated",
        ),
        ("cut-header.npy", "the file is truncated"),
        (
            "overflow.npy",
            "its array of 4294967296 x 4294967296 x 5 needs more than the 100 bytes that there are",
        ),
        ("too-long.npy", "an axis of its shape is no length"),
        ("negative.npy", "an axis of its shape is no length"),
        ("code.npy", "an axis of its shape is no length"),
        ("empty.npy", "its array is of 0 x 4294967296 x 5: it has no pixels"),
        (
            "objects.npy",
            "it holds objects of Python (a pickle), which are not read",
        ),
        ("records.npy", "its array is of records; save one field of it"),
        (
            "complex.npy",
            "its dtype is `<c8`; integers, float32 and float64 are read",
        ),
        ("bools.npy", "its dtype is `|b1`"),
        (
            "four-axes.npy",
            "its array is of 1 x 5 x 7 x 5, and neither its last axis nor its first has the 5 of views.channels",
        ),
        ("no-axis.npy", "its array is of one number, and neither"),
        ("no-shape.npy", "its header is not as `numpy.save` writes it"),
        ("other-key.npy", "its header has the key `more`"),
        ("version-9.npy", "its format is 9, and 1 to 3 are read"),
    ];
    for (name, expected) in cases {
        assert!(error(name, 5).contains(expected), "{}", error(name, 5));
    }
}

#[test]
fn another_number_of_channels_is_said_of_the_file() {
    assert_eq!(
        error("sentinel.tif", 5),
        "sentinel.tif: has 13 channel(s), and views.channels is 5"
    );
    assert_eq!(
        error("clear.png", 3),
        "clear.png: has 4 channel(s), and views.channels is 3"
    );
    let photo = include_bytes!("../../../golden/jpeg/420.jpg");
    let of = |channels| decode_bands(photo, Path::new("a.jpg"), channels);
    assert_eq!(
        of(13).unwrap_err().to_string(),
        "a.jpg: has 3 channel(s), and views.channels is 13"
    );
    assert_eq!(of(3).unwrap().channels, 3);
    assert!(of(1).is_err());
    // Three equal channels are one.
    let gray = include_bytes!("../../../golden/jpeg/gray.jpg");
    assert_eq!(decode_bands(gray, Path::new("a.jpg"), 1).unwrap().channels, 1);
}

#[test]
fn a_file_of_more_samples_than_its_bytes_can_hold_is_refused() {
    // The tags of width, height and rows of a strip, of 16 or 32 bits each.
    let of = |side: u16| {
        let mut bytes = golden("sentinel-deflate.tif");
        for tag in [256u16, 257, 278] {
            let at = bytes.windows(2).position(|window| window == tag.to_le_bytes()).unwrap();
            bytes[at + 8..at + 10].copy_from_slice(&side.to_le_bytes());
        }
        decode_bands(&bytes, Path::new("x.tif"), 13).unwrap_err().to_string()
    };
    assert!(
        of(4000).contains("4000 x 4000 pixels of 13 channels are more than 178956970 samples; cut it into tiles"),
        "{}",
        of(4000)
    );
    assert!(
        of(1000).contains("cannot hold the 1000 x 1000 pixels of 13 channels"),
        "{}",
        of(1000)
    );
}

#[test]
fn arrays_of_bytes_are_colours_or_gray_where_views_are_rgb() {
    let of = |shape: &str, count: u8| {
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        let bytes = [
            b"\x93NUMPY\x01\x00",
            &length[..],
            header.as_bytes(),
            &(0..count).collect::<Vec<_>>(),
        ]
        .concat();
        let patch = decode(&bytes, Path::new("x.npy"), &mut Region::whole);
        patch.map(|patch| (patch.region.width, patch.region.height, patch.pixels.to_vec()))
    };
    let all: Vec<u8> = (0..12).collect();
    assert_eq!(of("(2, 2, 3)", 12).unwrap(), (2, 2, all));
    assert_eq!(of("(3, 1, 2)", 6).unwrap(), (2, 1, vec![0, 2, 4, 1, 3, 5]));
    assert_eq!(of("(1, 2)", 2).unwrap(), (2, 1, vec![0, 0, 0, 1, 1, 1]));
    let error = of("(2, 2, 5)", 20).unwrap_err().to_string();
    assert!(
        error.contains("its array is of 2 x 2 x 5 samples of 8 bits, and colours are 1 or 3 of 8 bits"),
        "{error}"
    );
    let sentinel = decode(&golden("sentinel.tif"), Path::new("x.tif"), &mut Region::whole);
    let error = sentinel.unwrap_err().to_string();
    assert!(
        error.ends_with("save it as PNG, or read them all by `views.channels = 13`"),
        "{error}"
    );
}
