//! Photos: the whole of one, a part of one, and what the views make of them.

use crate::Target;
use fmicl_core::{Image, Region, Result};
use fmicl_data::{ImageViews, ViewKey, decode};
use std::path::Path;

/// Files of fmicl-data's own tests: each reader, and each way through it.
const SEEDS: [&[u8]; 56] = [
    include_bytes!("../../../fmicl-data/golden/bands/uint8.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/two-axes.npy"),
    include_bytes!("../../../fmicl-data/golden/jpeg/tiny.jpg"),
    include_bytes!("../../../fmicl-data/golden/jpeg/420.jpg"),
    include_bytes!("../../../fmicl-data/golden/jpeg/422.jpg"),
    include_bytes!("../../../fmicl-data/golden/jpeg/gray.jpg"),
    include_bytes!("../../../fmicl-data/golden/jpeg/progressive.jpg"),
    include_bytes!("../../../fmicl-data/golden/jpeg/restart.jpg"),
    include_bytes!("../../../fmicl-data/golden/jpeg/rgb.jpg"),
    include_bytes!("../../../fmicl-data/golden/small.png"),
    include_bytes!("../../../fmicl-data/golden/formats/cmyk.jpg"),
    include_bytes!("../../../fmicl-data/golden/formats/ycck-420.jpg"),
    include_bytes!("../../../fmicl-data/golden/formats/cmyk-progressive.jpg"),
    include_bytes!("../../../fmicl-data/golden/formats/arithmetic.jpg"),
    include_bytes!("../../../fmicl-data/golden/formats/arithmetic-progressive.jpg"),
    include_bytes!("../../../fmicl-data/golden/formats/interlaced.png"),
    include_bytes!("../../../fmicl-data/golden/formats/fewer-palette-interlaced.png"),
    include_bytes!("../../../fmicl-data/golden/formats/gray-alpha-16.png"),
    include_bytes!("../../../fmicl-data/golden/formats/animated.png"),
    include_bytes!("../../../fmicl-data/golden/formats/lossless.webp"),
    include_bytes!("../../../fmicl-data/golden/formats/lossy-clear.webp"),
    include_bytes!("../../../fmicl-data/golden/formats/animated-lossy-within.webp"),
    include_bytes!("../../../fmicl-data/golden/formats/animated-lossless-within.webp"),
    include_bytes!("../../../fmicl-data/golden/formats/rgb-tiff_lzw.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/two-group4.tiff"),
    include_bytes!("../../../fmicl-data/golden/formats/palette-packed.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/palette-4.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/planes-tiled.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/planes-packed.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/cmyk-16.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/multiplied-16.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/float-packed.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/gray-1.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/big.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/rgb-jpeg.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/jpeg-strips.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/turned-6.tif"),
    include_bytes!("../../../fmicl-data/golden/formats/palette.bmp"),
    include_bytes!("../../../fmicl-data/golden/formats/palette-4.bmp"),
    include_bytes!("../../../fmicl-data/golden/formats/palette-1-os2.bmp"),
    include_bytes!("../../../fmicl-data/golden/formats/565.bmp"),
    include_bytes!("../../../fmicl-data/golden/formats/32-alpha.bmp"),
    include_bytes!("../../../fmicl-data/golden/formats/rle.bmp"),
    include_bytes!("../../../fmicl-data/golden/formats/rle-4.bmp"),
    include_bytes!("../../../fmicl-data/golden/formats/rle-steps.bmp"),
    include_bytes!("../../../fmicl-data/golden/formats/everyone.gif"),
    include_bytes!("../../../fmicl-data/golden/formats/within-own.gif"),
    include_bytes!("../../../fmicl-data/golden/formats/within-interlaced.gif"),
    include_bytes!("../../../fmicl-data/golden/formats/no-palette.gif"),
    include_bytes!("../../../fmicl-data/golden/formats/animated.gif"),
    include_bytes!("../../../fmicl-data/golden/formats/text.ppm"),
    include_bytes!("../../../fmicl-data/golden/formats/text-comments.pgm"),
    include_bytes!("../../../fmicl-data/golden/formats/text-close.pbm"),
    include_bytes!("../../../fmicl-data/golden/formats/bits.pbm"),
    include_bytes!("../../../fmicl-data/golden/formats/1000.ppm"),
    include_bytes!("../../../fmicl-data/golden/formats/10.pgm"),
];
/// More pixels than this take their time, and are no other code.
pub(super) const MOST_PIXELS: usize = 1 << 20;

/// A photo is decoded to the pixels of its size, wholly or in part, and becomes views; or it is refused in a line.
pub(super) fn image() -> Target {
    let seeds = SEEDS.map(<[u8]>::to_vec).to_vec();
    Target::new("image", seeds, move |input| {
        if claimed(input).is_some_and(|pixels| pixels > MOST_PIXELS) {
            return;
        }
        let seed = input
            .iter()
            .fold(0u64, |sum, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        match whole(input) {
            Ok(image) => view(&image, seed),
            Err(error) => {
                let error = error.to_string();
                assert!(error.starts_with("photo: ") && !error.contains('\n'), "{error}");
            }
        }
        part(input, seed);
    })
}

fn whole(input: &[u8]) -> Result<Image> {
    let patch = decode(input, Path::new("photo"), &mut Region::whole)?;
    let Region { width, height, .. } = patch.region;
    assert!(width >= 1 && height >= 1 && patch.pixels.len() == width * height * 3);
    Ok(Image::new(width, height, patch.pixels.into_owned()))
}

/// The views of evaluation and of training.
fn view(image: &Image, seed: u64) {
    let options = "size = 24\neval_resize = 28\nblur = { kernel = 3 }";
    let options = options.parse().expect("tables of options");
    let views = ImageViews::new(options).expect("options in range");
    let mut out = vec![0.0; views.numel()];
    let finite = |out: &[f32]| assert!(out.iter().all(|value| value.is_finite()), "a view is not finite");
    views.evaluate(image, &mut out);
    finite(&out);
    let key = ViewKey {
        seed,
        epoch: 0,
        sample: 0,
        view: 0,
    };
    views
        .render(image, key, &mut out)
        .expect("transforms that keep their promises");
    finite(&out);
}

/// What is decoded of a photo for a crop holds the crop.
fn part(input: &[u8], seed: u64) {
    let below = |shift: u32, bound: usize| (seed >> shift) as usize % bound;
    let mut wanted = None;
    let patch = decode(input, Path::new("photo"), &mut |width, height| {
        let (top, left) = (below(0, height), below(13, width));
        let (height, width) = (1 + below(26, height - top), 1 + below(39, width - left));
        *wanted.insert(Region {
            top,
            left,
            height,
            width,
        })
    });
    if let (Ok(patch), Some(wanted)) = (patch, wanted) {
        assert_eq!(patch.region.union(wanted), patch.region, "a part is missing");
        assert_eq!(patch.pixels.len(), patch.region.width * patch.region.height * 3);
    }
}

/// The most pixels that a header in the file could claim: of a PNG, a BMP, a WebP, any frame of a GIF, any directory of a
/// TIFF, or any frame of a JPEG. PNM claims no more than there are bytes for.
pub(super) fn claimed(input: &[u8]) -> Option<usize> {
    let pixels = |bytes: &[u8]| bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte));
    let reversed = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | usize::from(byte))
    };
    if input.starts_with(b"\x89PNG") {
        return Some(pixels(input.get(16..20)?).saturating_mul(pixels(input.get(20..24)?)));
    }
    if input.starts_with(b"BM") {
        let side = |at: usize| Some((reversed(input.get(at..at + 4)?) as u32 as i32).unsigned_abs() as usize);
        return Some(side(18)?.saturating_mul(side(22)?));
    }
    if input.starts_with(b"GIF8") {
        // A frame behind any comma makes the screen larger.
        let screen = (reversed(input.get(6..8)?), reversed(input.get(8..10)?));
        let frames = input.windows(9).filter(|window| window[0] == b',').map(|window| {
            let side = |from: usize| reversed(&window[from..from + 2]) + reversed(&window[from + 4..from + 6]);
            side(1).max(screen.0) * side(3).max(screen.1)
        });
        return frames.max();
    }
    if input.get(8..12) == Some(b"WEBP") {
        // Each of the three kinds of chunk wherever it may stand: 14 bits a side, or 24.
        let padded = [input, &[0; 18]].concat();
        let frames = padded.windows(18).map(|at| match &at[..4] {
            b"VP8 " => (reversed(&at[14..16]) & 0x3fff) * (reversed(&at[16..18]) & 0x3fff),
            b"VP8L" => {
                let bits = reversed(&at[9..13]);
                ((bits & 0x3fff) + 1) * ((bits >> 14 & 0x3fff) + 1)
            }
            b"VP8X" => (reversed(&at[12..15]) + 1).saturating_mul(reversed(&at[15..18]) + 1),
            _ => 0,
        });
        return frames.max();
    }
    if input.starts_with(b"II") || input.starts_with(b"MM") {
        // Entries of twelve bytes: tag, type, count, value, which may be of 16 bits.
        let value = |low: u8| {
            let sides = input.windows(12).map(|entry| match entry[..2] {
                [1, high] if high == low => pixels(&entry[8..12]).max(pixels(&entry[8..10])),
                [found, 1] if found == low => reversed(&entry[8..12]),
                _ => 0,
            });
            // Those of a file with offsets of 64 bits are longer.
            let big = input.windows(16).map(|entry| match entry[..2] {
                [1, high] if high == low => pixels(&entry[12..16]).max(pixels(&entry[12..14])),
                [found, 1] if found == low => reversed(&entry[12..16]),
                _ => 0,
            });
            sides.chain(big).max().unwrap_or(0)
        };
        return Some(value(0).saturating_mul(value(1)));
    }
    let frames = input
        .windows(9)
        .filter(|window| window[0] == 0xff && (0xc0..0xd0).contains(&window[1]));
    frames.map(|window| pixels(&window[5..7]) * pixels(&window[7..9])).max()
}
