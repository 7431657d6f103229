//! Comparison with torchvision: see `golden/generate.py`.

use super::*;
use flate2::read::GzDecoder;
use fmicl_core::{Image, PixelOp, Planes, Region};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Runs the golden cases of `operation` and returns how many there were and the greatest difference of a byte.
///
/// `FMICL_GOLDEN` names another folder that `generate.py DIR COUNT` filled.
pub(super) fn compare(operation: &str) -> (usize, u8) {
    let folder = std::env::var_os("FMICL_GOLDEN").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"));
    let cases = std::fs::read_to_string(folder.join("cases.txt")).unwrap();
    let mut outputs = GzDecoder::new(std::fs::File::open(folder.join("outputs.bin.gz")).unwrap());
    let (mut count, mut worst) = (0, 0);
    for case in cases.lines() {
        let words: Vec<&str> = case.split(' ').collect();
        let [width, height] = [words[2], words[3]].map(|word| word.parse::<usize>().unwrap());
        let mut expected = vec![0; width * height * 3];
        outputs.read_exact(&mut expected).unwrap();
        if words[0] != operation {
            continue;
        }
        let arguments: Vec<f64> = words[4..].iter().map(|word| word.parse().unwrap()).collect();
        let found = run(operation, &load(&folder.join(words[1])), &arguments);
        assert_eq!((found.width, found.height), (width, height), "{case}");
        let off = Image::from(&found)
            .pixels
            .iter()
            .zip(&expected)
            .map(|(a, b)| a.abs_diff(*b))
            .max()
            .unwrap();
        if off > 0 {
            println!("{case}: off by {off}");
        }
        (count, worst) = (count + 1, worst.max(off));
    }
    println!("{operation}: {count} cases, off by at most {worst}");
    assert!(count > 0, "no case of {operation}");
    (count, worst)
}

fn load(path: &Path) -> Image {
    let image = image::open(path).unwrap().to_rgb8();
    Image::new(image.width() as usize, image.height() as usize, image.into_raw())
}

/// 4096 x 4096 pixels.
pub(super) fn every_color() -> Planes {
    let mut all = Planes::new(4096, 4096);
    let [red, green, blue] = all.split_mut();
    for i in 0..1 << 24 {
        (red[i], green[i], blue[i]) = (i as u8, (i >> 8) as u8, (i >> 16) as u8);
    }
    all
}

fn run(operation: &str, image: &Image, arguments: &[f64]) -> Planes {
    let size = |index: usize| arguments[index] as usize;
    let mut planes = Planes::from(image);
    match operation {
        "resized_crop" => {
            let area = Region {
                top: size(0),
                left: size(1),
                height: size(2),
                width: size(3),
            };
            return resized_crop(image, area, size(4), size(5));
        }
        "resize" => return resize_shorter_side(&image.into(), size(0)),
        "evaluate" => return resize_and_center_crop(&image.into(), size(0), size(1)),
        "flip" => horizontal_flip(&mut planes),
        "grayscale" => apply_pixels(&mut planes, &[PixelOp::Gray]),
        "brightness" => apply_pixels(&mut planes, &[PixelOp::Brightness(arguments[0] as f32)]),
        "contrast" => apply_pixels(&mut planes, &[PixelOp::Contrast(arguments[0] as f32)]),
        "saturation" => apply_pixels(&mut planes, &[PixelOp::Saturation(arguments[0] as f32)]),
        "hue" => apply_pixels(&mut planes, &[PixelOp::Hue(arguments[0])]),
        "blur" => gaussian_blur(&mut planes, size(0), arguments[1]),
        other => panic!("no operation {other}"),
    }
    planes
}
