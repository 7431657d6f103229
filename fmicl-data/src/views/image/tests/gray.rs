//! Views of one channel.

use super::*;
use crate::decode;
use std::path::Path;

/// A square of the golden photo.
fn coffee() -> Image {
    let bytes = include_bytes!("../../../../golden/coffee.png");
    let patch = decode(bytes, Path::new("coffee.png"), &mut Region::whole).unwrap();
    let square = Region {
        top: 10,
        left: 30,
        height: 100,
        width: 100,
    };
    let (rows, stride) = patch.rows(square);
    let pixels = rows.chunks(stride).take(100).flat_map(|row| &row[..300]);
    Image::new(100, 100, pixels.copied().collect())
}

/// The same image in PIL's gray, in three channels.
fn grayed(image: &Image) -> Image {
    let luma = |[red, green, blue]: [u8; 3]| {
        (u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000) >> 16
    };
    let pixels = image
        .pixels
        .as_chunks()
        .0
        .iter()
        .flat_map(|&pixel| [luma(pixel) as u8; 3]);
    Image::new(image.width, image.height, pixels.collect())
}

fn error(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn a_gray_view_for_evaluation_is_pils_to_the_bit() {
    let views = views("channels = 1\nsize = 24\neval_resize = 28\nnormalize = { mean = [0.0], std = [1.0] }");
    let mut found = vec![0.0; views.numel()];
    views.evaluate(&coffee(), &mut found);
    let expected = include_bytes!("../../../../golden/gray.u8");
    assert!(found.iter().eq(&expected.map(|value| f32::from(value) / 255.0)));
}

#[test]
fn a_random_gray_view_is_one_channel_of_the_view_of_the_gray_image() {
    let recipe = "size = 24\ngrayscale = false\nblur = 0.5\njitter = { saturation = 0.0, hue = 0.0 }\n";
    let gray = views(&format!(
        "{recipe}channels = 1\nnormalize = {{ mean = [0.4], std = [0.3] }}"
    ));
    let color = views(&format!(
        "{recipe}normalize = {{ mean = [0.4, 0.4, 0.4], std = [0.3, 0.3, 0.3] }}"
    ));
    assert_eq!((gray.numel(), color.numel()), (24 * 24, 3 * 24 * 24));
    let (photo, mut distinct) = (coffee(), std::collections::HashSet::new());
    for sample in 0..40 {
        let (mut found, mut expected) = (vec![0.0; gray.numel()], vec![0.0; color.numel()]);
        gray.render(&photo, key(sample), &mut found).unwrap();
        color.render(&grayed(&photo), key(sample), &mut expected).unwrap();
        for channel in expected.chunks_exact(24 * 24) {
            assert!(found == channel, "sample {sample}");
        }
        distinct.insert(found.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
    }
    assert!(distinct.len() > 30, "{}", distinct.len());
}

#[test]
fn the_default_recipe_of_gray_views_turns_no_colours_and_is_read_as_it_is_written() {
    let views = views("channels = 1");
    let written = Table::try_from(&views).unwrap();
    let expected = "{ brightness = 0.4, contrast = 0.4, hue = 0.0, p = 0.8, saturation = 0.0 }";
    assert_eq!(written["jitter"].to_string(), expected);
    assert_eq!(written["grayscale"].to_string(), "false");
    assert_eq!(written["normalize"].to_string(), "{ mean = [0.5], std = [0.5] }");
    let again = ImageViews::new(written.clone()).unwrap();
    assert_eq!(Table::try_from(&again).unwrap(), written);
    assert_eq!(views.input().unwrap(), Input::Images { size: 32, channels: 1 });
    assert!(
        views
            .summary()
            .starts_with("32 x 32 pixels, gray, normalised by mean [0.5] and deviation [0.5] (the default)")
    );
    // What is written of it alone leaves the other at its default.
    let half = super::views("normalize = { std = [0.2] }\nchannels = 1");
    assert_eq!(
        (&half.normalize.mean[..], &half.normalize.std[..]),
        (&[0.5][..], &[0.2][..])
    );
}

#[test]
fn what_makes_no_sense_in_gray_is_refused_by_name() {
    let no_colours = "but views of one channel have no colours: leave it out, or set it to 0";
    let cases = [
        ("channels = 0", "channels: 0 is not from 1 to 1024".to_string()),
        (
            "channels = 1\ngrayscale = 0.2",
            "grayscale: views of one channel are gray already: leave it out, or set it to false".into(),
        ),
        (
            "channels = 1\njitter = { hue = 0.1 }",
            format!("jitter.hue: 0.1, {no_colours}"),
        ),
        (
            "channels = 1\n[[each]]\njitter = { saturation = 0.5 }",
            format!("each[0].jitter.saturation: 0.5, {no_colours}"),
        ),
        (
            "channels = 1\nnormalize = { mean = [0.1, 0.2] }",
            "normalize.mean: [0.1, 0.2] has 2 values, and the views 1 channel(s): one for each".into(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), expected, "{text}");
    }
}

#[test]
fn batches_have_one_channel() {
    let samples = fmicl_core::Dataset::open(&crate::datasets::Digits {}, fmicl_core::Split::Train).unwrap();
    let views = views("channels = 1\nsize = 8");
    let draw = Draw {
        indices: &[0, 1, 2],
        views: 2,
        seed: 1,
        epoch: 0,
    };
    let random = views.random(&*samples, &draw, &Stop::default()).unwrap();
    assert_eq!(random[1].input.size(), [3, 1, 8, 8]);
    let fixed = views.evaluation(&*samples, &[0, 1], &Stop::default()).unwrap();
    assert_eq!(fixed.input.size(), [2, 1, 8, 8]);
}
