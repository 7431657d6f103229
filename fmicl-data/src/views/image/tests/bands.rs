//! Views of other channels than colours.

use super::*;
use fmicl_core::{BandSamples, Bands};

/// An image of so many channels, each of which is a photo's red one turned by its number.
fn image(channels: usize) -> Bands {
    let (width, height) = (50, 40);
    let pixels = photo(width, height).pixels;
    let sample = |pixel: usize, channel: usize| pixels[3 * pixel].wrapping_add(40 * channel as u8);
    let samples = (0..width * height).flat_map(|pixel| (0..channels).map(move |channel| sample(pixel, channel)));
    Bands {
        width,
        height,
        channels,
        samples: BandSamples::Bytes(samples.collect()),
    }
}

/// One channel of an image.
fn channel(bands: &Bands, channel: usize) -> Image {
    let BandSamples::Bytes(bytes) = &bands.samples else {
        panic!("not of bytes")
    };
    let gray: Vec<u8> = bytes.iter().skip(channel).step_by(bands.channels).copied().collect();
    Image::from_gray(bands.width, bands.height, &gray)
}

fn error(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

const RECIPE: &str =
    "size = 24\nblur = 0.5\nflip = 0.5\njitter = { contrast = 0.0, saturation = 0.0, hue = 0.0 }\ngrayscale = false\n";

#[test]
fn each_channel_of_a_view_is_the_view_of_that_channel_alone_with_its_own_normalisation() {
    for channels in [2, 4, 5, 7] {
        let all = image(channels);
        let means: Vec<f32> = (0..channels).map(|channel| 0.1 + 0.05 * channel as f32).collect();
        let many = views(&format!(
            "{RECIPE}channels = {channels}\nnormalize = {{ mean = {means:?}, std = {:?} }}",
            vec![0.3; channels]
        ));
        let triples = many.triples(&all).unwrap();
        for sample in 0..20 {
            let (mut random, mut fixed) = (vec![0.0; many.numel()], vec![0.0; many.numel()]);
            many.render_bands(&triples, key(sample), &mut random).unwrap();
            many.evaluate_bands(&triples, &mut fixed);
            for (at, mean) in means.iter().enumerate() {
                let one = views(&format!(
                    "{RECIPE}channels = 1\nnormalize = {{ mean = [{mean}], std = [0.3] }}"
                ));
                let (mut expected, place) = (vec![0.0; 24 * 24], at * 24 * 24..(at + 1) * 24 * 24);
                one.render(&channel(&all, at), key(sample), &mut expected).unwrap();
                assert!(
                    random[place.clone()] == expected,
                    "channel {at} of {channels}, sample {sample}"
                );
                one.evaluate(&channel(&all, at), &mut expected);
                assert!(fixed[place] == expected, "channel {at} of {channels}");
            }
        }
    }
}

#[test]
fn the_default_recipe_of_many_channels_has_brightness_alone_and_reads_as_it_is_written() {
    let views = views("channels = 5\nrange = [[0, 1], [0, 2], [0, 3], [-1, 4.5], [0, 1e4]]");
    let written = Table::try_from(&views).unwrap();
    let expected = "{ brightness = 0.4, contrast = 0.0, hue = 0.0, p = 0.8, saturation = 0.0 }";
    assert_eq!(written["jitter"].to_string(), expected);
    assert_eq!(written["normalize"]["mean"].to_string(), "[0.5, 0.5, 0.5, 0.5, 0.5]");
    assert_eq!(
        written["range"].to_string(),
        "[[0.0, 1.0], [0.0, 2.0], [0.0, 3.0], [-1.0, 4.5], [0.0, 10000.0]]"
    );
    let again = ImageViews::new(written.clone()).unwrap();
    assert_eq!(Table::try_from(&again).unwrap(), written);
    assert_eq!(views.input().unwrap(), Input::Images { size: 32, channels: 5 });
    let said = "32 x 32 pixels, 5 channels, of values from a range of each channel, normalised by mean [0.5, 0.5, ";
    assert!(views.summary().starts_with(said), "{}", views.summary());
    let shared = super::views("channels = 2\nrange = [0, 10000]");
    assert_eq!(Table::try_from(&shared).unwrap()["range"].to_string(), "[0.0, 10000.0]");
    assert!(shared.summary().contains("2 channels, of values from 0 to 10000, "));
}

#[test]
fn what_is_of_colours_is_refused_by_name() {
    let of_colours = "which is of colours, and views of 13 channels have none: leave it out, or set it to 0";
    let cases = [
        (
            "grayscale = 0.2",
            "grayscale: is of colours, which views of 13 channels have not: leave it out, or set it to false"
                .to_string(),
        ),
        ("jitter = { hue = 0.1 }", format!("jitter.hue: 0.1, {of_colours}")),
        (
            "jitter = { saturation = 0.1 }",
            format!("jitter.saturation: 0.1, {of_colours}"),
        ),
        (
            "jitter = { contrast = 0.5 }",
            format!("jitter.contrast: 0.5, {of_colours}"),
        ),
        (
            "order = ['crop', 'jitter', 'flip', 'takes']\ntakes = true",
            "takes: is of colours, which views of 13 channels have not: leave it out, or set it to false".into(),
        ),
        (
            "[[each]]\ngrayscale = 1.0",
            "each[0].grayscale: is of colours, which views of 13 channels have not: leave it out, or set it to false"
                .into(),
        ),
        (
            "range = [5, 5]",
            "range: [5.0, 5.0] is no range from low to high".into(),
        ),
        (
            "range = [0, inf]",
            "range: [0.0, inf] is no range from low to high".into(),
        ),
        (
            "range = [[0, 1], [0, 2]]",
            "range: 2 ranges for 13 channel(s): one for all, or one for each".into(),
        ),
        (
            "normalize = { mean = [0.5, 0.5, 0.5] }",
            "normalize.mean: [0.5, 0.5, 0.5] has 3 values, and the views 13 channel(s): one for each".into(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(&format!("channels = 13\n{text}")), expected, "{text}");
    }
    assert!(error("range = 5").starts_with("range: "), "{}", error("range = 5"));
}

#[test]
fn samples_that_are_not_bytes_need_a_range_and_no_range_makes_a_byte_of_what_is_no_number() {
    let of = |values: &[f32]| Bands {
        width: values.len() / 2,
        height: 1,
        channels: 2,
        samples: BandSamples::Numbers(values.to_vec(), "floats"),
    };
    let without = views("channels = 2").triples(&of(&[0.25, -1.0, 7.5, f32::NAN]));
    assert_eq!(
        without.map(drop).unwrap_err(),
        "its samples are floats, from -1 to 7.5, and views are of 8 bits: views.range says which values become 0 and 255, such as \
         `range = [0, 10000]`"
    );
    let with = views("channels = 2\nrange = [[0, 1], [-1, 1]]");
    let pixels = with
        .triples(&of(&[0.25, -1.0, 7.5, f32::NEG_INFINITY, -0.1, 0.0]))
        .unwrap();
    assert_eq!(pixels.images()[0].pixels, [64, 0, 0, 255, 0, 0, 0, 128, 128]);
    assert_eq!(
        with.triples(&of(&[0.0, 0.0, 0.0, f32::NAN])).map(drop).unwrap_err(),
        "its channel 1 is not a number (NaN) in row 0, column 1, counted from 0"
    );
    assert_eq!(
        with.triples(&image(3)).map(drop).unwrap_err(),
        "has 3 channel(s), and views.channels is 2"
    );
}

#[test]
fn a_range_reads_one_and_three_channels_as_they_are_stored() {
    for (channels, recipe) in [(1, "channels = 1\n"), (3, "")] {
        let plain = views(&format!("{recipe}size = 24"));
        let ranged = views(&format!("{recipe}size = 24\nrange = [0, 2550]"));
        let mut all = image(channels);
        let rgb = match channels {
            1 => channel(&all, 0),
            _ => {
                let BandSamples::Bytes(bytes) = &all.samples else {
                    panic!()
                };
                Image::new(50, 40, bytes.clone())
            }
        };
        if let BandSamples::Bytes(bytes) = &all.samples {
            let tenfold = bytes.iter().map(|&byte| 10.0 * f32::from(byte)).collect();
            all.samples = BandSamples::Numbers(tenfold, "of 16 bits");
        }
        let triples = ranged.triples(&all).unwrap();
        for sample in 0..20 {
            let (mut found, mut expected) = (vec![0.0; plain.numel()], vec![0.0; plain.numel()]);
            ranged.render_bands(&triples, key(sample), &mut found).unwrap();
            plain.render(&rgb, key(sample), &mut expected).unwrap();
            assert!(found == expected, "{channels} channels, sample {sample}");
        }
    }
}
