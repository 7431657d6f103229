//! Views of photos.

mod bands;
mod gray;
mod options;

use super::*;
use crate::transforms::{Crop, Jitter};
use crate::transforms::{apply_pixels, gaussian_blur, horizontal_flip, resized_crop};
use fmicl_core::registry::write_options;
use fmicl_core::{Image, Op, PixelOp, Planes, Rng, Size, Transform, word_of};
use serde::{Deserialize, Serialize};

/// Takes as many random numbers as it is told, and leaves the image.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Takes {
    count: usize,
}

register!(Transform, "takes", Takes, "random numbers, for tests");

impl Transform for Takes {
    fn draw(&self, _size: Size, rng: &mut Rng) -> Op {
        rng.shuffle(&mut vec![0; self.count + 1]);
        Op::Keep
    }
}

/// Does what it must not.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rogue {
    shrinks: bool,
}

register!(Transform, "rogue", Rogue, "breaks its promises, for tests");

impl Transform for Rogue {
    fn draw(&self, size: Size, _rng: &mut Rng) -> Op {
        match self.shrinks {
            true => Op::Whole(Box::new(|image| *image = Planes::new(1, 1))),
            false => Op::Frame(Region::whole(size.width, size.height)),
        }
    }
}

fn photo(width: usize, height: usize) -> Image {
    let pixels = (0..width * height * 3).map(|i| (i * i / 7 + i / 3) as u8);
    Image::new(width, height, pixels.collect())
}

fn key(sample: u64) -> ViewKey {
    ViewKey {
        seed: 1,
        epoch: 2,
        sample,
        view: 0,
    }
}

fn read(text: &str) -> Result<ImageViews> {
    ImageViews::new(text.parse().unwrap())
}

fn views(text: &str) -> ImageViews {
    read(text).unwrap()
}

/// A view of the photo.
fn rendered(views: &ImageViews, key: ViewKey) -> Vec<f32> {
    let mut out = vec![0.0; views.numel()];
    views.render(&photo(50, 40), key, &mut out).unwrap();
    out
}

#[test]
fn a_view_is_a_pure_function_of_its_key() {
    let views = views("blur = { kernel = 3 }");
    let render = |key| rendered(&views, key);
    let base = key(3);
    assert!(render(base) == render(base));
    let others = [
        ViewKey { seed: 9, ..base },
        ViewKey { epoch: 9, ..base },
        ViewKey { sample: 9, ..base },
        ViewKey { view: 1, ..base },
    ];
    assert!(others.into_iter().all(|other| render(base) != render(other)));
}

/// The steps by hand, in an order; the draws are those of the keys.
fn by_hand(order: &[&str], key: ViewKey) -> Vec<f32> {
    let image = photo(50, 40);
    let stream = Rng::new(&[key.seed, key.epoch, key.sample, key.view]);
    let size = Size { width: 24, height: 24 };
    let area = Crop::default().sample(50, 40, &mut stream.child(word_of("crop")));
    let mut view = resized_crop(&image, area, 24, 24);
    for step in order {
        let mut rng = stream.child(word_of(step));
        match *step {
            "crop" => (),
            "flip" => horizontal_flip(&mut view),
            "jitter" => {
                let jitter = Jitter {
                    p: 1.0,
                    ..Jitter::default()
                };
                let Op::Pixels(ops) = jitter.draw(size, &mut rng) else {
                    panic!("no jitter")
                };
                ops.chunks(1).for_each(|op| apply_pixels(&mut view, op));
            }
            "grayscale" => apply_pixels(&mut view, &[PixelOp::Gray]),
            _ => {
                assert!(rng.chance(1.0));
                gaussian_blur(&mut view, 5, rng.uniform(0.1, 2.0));
            }
        }
    }
    let mut expected = vec![0.0; 3 * 24 * 24];
    Normalize::default().apply(&view, &mut expected);
    expected
}

const ALL: &str = "size = 24\nflip = 1\ngrayscale = 1.0\njitter = { p = 1.0 }\nblur = { p = 1, kernel = 5 }\n";

#[test]
fn steps_apply_in_the_order_crop_flip_jitter_grayscale_blur_or_in_another_that_is_given() {
    let own = ["crop", "flip", "jitter", "grayscale", "blur"];
    assert!(rendered(&views(ALL), key(5)) == by_hand(&own, key(5)));
    for other in [
        ["crop", "blur", "jitter", "flip", "grayscale"],
        ["crop", "grayscale", "jitter", "blur", "flip"],
    ] {
        let views = views(&format!("{ALL}order = {other:?}"));
        let found = rendered(&views, key(5));
        assert!(found == by_hand(&other, key(5)), "{other:?}");
        assert!(found != by_hand(&own, key(5)), "{other:?}");
    }
}

#[test]
fn adding_a_transform_removing_one_or_moving_it_leaves_the_draws_of_the_others() {
    let order = r#"order = ["takes", "flip", "jitter", "grayscale", "blur"]"#;
    let with = |more: &str| rendered(&views(&format!("{ALL}crop = false\n{order}\n{more}")), key(7));
    let without = with("");
    for more in ["takes = true", "takes = { count = 1 }", "takes = { count = 100 }"] {
        assert!(with(more) == without, "{more}");
    }
    // Of the jitter nothing is drawn any more; what it makes gray is gray as before.
    let order = r#"order = ["crop", "grayscale", "jitter", "flip", "blur"]"#;
    let gray = |more: &str| rendered(&views(&format!("grayscale = 1.0\nflip = 0.5\n{more}")), key(7));
    assert!(gray("jitter = false") == gray("jitter = { p = 0.0 }"));
    assert!(gray("jitter = false") == gray(&format!("jitter = false\n{order}")));
    // Under another key the same transform draws other numbers.
    let blurred = |key: &str| {
        views(&format!(
            "order = ['crop', '{key}']\n{key} = {{ name = 'blur', p = 1 }}\nflip = false\njitter = false\ngrayscale = false"
        ))
    };
    assert!(rendered(&blurred("blur"), key(7)) != rendered(&blurred("late"), key(7)));
}

#[test]
fn flip_and_grayscale_have_their_probabilities() {
    let views = views(
        "size = 4\ncrop = false\njitter = false\nflip = 0.3\ngrayscale = 0.6\nnormalize = { mean = [0, 0, 0], std = [1, 1, 1] }",
    );
    let image = photo(4, 4);
    let (mut flipped, mut gray) = (0, 0);
    let mut out = vec![0.0; views.numel()];
    for sample in 0..10_000 {
        views.render(&image, key(sample), &mut out).unwrap();
        gray += usize::from(out[..16] == out[16..32]);
        flipped += usize::from(out[16] != f32::from(image.pixels[1]) / 255.0 && out[..16] != out[16..32]);
    }
    assert!(gray.abs_diff(6000) < 250, "{gray} of 10000 are gray, not 6000");
    assert!(
        flipped.abs_diff(1200) < 165,
        "{flipped} of 10000 are flipped and not gray, not 1200"
    );
}

#[test]
fn an_image_of_the_size_is_only_normalised_for_evaluation() {
    let views = views("size = 24");
    let image = photo(24, 24);
    let (mut found, mut expected) = (vec![0.0; views.numel()], vec![0.0; views.numel()]);
    views.evaluate(&image, &mut found);
    views.normalize.apply(&Planes::from(&image), &mut expected);
    assert!(found == expected);
}

#[test]
fn a_transform_that_breaks_its_promises_is_an_error_that_names_it() {
    let order = "order = ['crop', 'flip', 'jitter', 'grayscale', 'rogue']";
    let error = |options: &str| {
        let views = views(&format!("{order}\nrogue = {options}"));
        let mut out = vec![0.0; views.numel()];
        views.render(&photo(50, 40), key(1), &mut out).unwrap_err().to_string()
    };
    let frame = error("true");
    assert!(
        frame.starts_with("the transform `rogue` draws the frame Region"),
        "{frame}"
    );
    assert_eq!(error("{ shrinks = true }"), "a transform of view 0 changes its size");
}
