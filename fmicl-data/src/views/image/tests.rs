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

/// What a view has that is made of one value.
fn written(views: &ImageViews) -> toml::Table {
    write_options(views).unwrap()
}

#[test]
fn transforms_are_turned_off_and_on_in_toml_and_take_a_number_for_their_probability() {
    let table = written(&views(
        "size = 96\ncrop = false\njitter = { hue = 0.2 }\nblur = true\neval_resize = 110\nflip = 0.3\ngrayscale = 1",
    ));
    let value = |text: &str| -> toml::Value { text.parse::<toml::Table>().unwrap().remove("it").unwrap() };
    assert_eq!(table["crop"], value("it = false"));
    assert_eq!(table["blur"], value("it = { sigma = [0.1, 2.0], p = 0.5 }"));
    let jitter = "it = { brightness = 0.4, contrast = 0.4, saturation = 0.4, hue = 0.2, p = 0.8 }";
    assert_eq!(table["jitter"], value(jitter));
    assert_eq!(
        (&table["flip"], &table["grayscale"]),
        (&value("it = { p = 0.3 }"), &value("it = { p = 1.0 }"))
    );
    assert_eq!(table["eval_resize"].as_integer(), Some(110));
    assert!(!table.contains_key("takes") && !table.contains_key("each"));
}

const MOCO_V3: &str = r#"
    order = ["crop", "jitter", "grayscale", "blur", "takes", "flip"]
    jitter = { saturation = 0.2 }
    each = [{ blur = 1.0 }, { blur = { p = 0.1, kernel = 5 }, takes = { count = 3 }, jitter = false }]
"#;

#[test]
fn each_view_has_what_is_common_and_its_own() {
    let views = views(MOCO_V3);
    assert_eq!(views.count(), Some(2));
    let view = |views: &ImageViews, view| {
        let base = key(4);
        rendered(views, ViewKey { view, ..base })
    };
    let alone = |more: &str| {
        let common = r#"order = ["crop", "jitter", "grayscale", "blur", "takes", "flip"]"#;
        self::views(&format!("{common}\n{more}"))
    };
    let first = alone("jitter = { saturation = 0.2 }\nblur = 1.0");
    let second = alone("jitter = false\nblur = { p = 0.1, kernel = 5 }\ntakes = true");
    assert!(view(&views, 0) == view(&first, 0) && view(&views, 1) == view(&second, 1));
    assert!(view(&first, 1) != view(&second, 1));
}

#[test]
fn an_own_order_is_one_of_the_things_that_a_view_has() {
    let each = r#"each = [{}, { order = ["crop", "grayscale", "jitter", "flip", "blur"] }]"#;
    let views = views(&format!("{ALL}{each}"));
    let second = ViewKey { view: 1, ..key(5) };
    let own = ["crop", "grayscale", "jitter", "flip", "blur"];
    assert!(rendered(&views, second) == by_hand(&own, second));
    assert!(rendered(&views, key(5)) == by_hand(&["crop", "flip", "jitter", "grayscale", "blur"], key(5)));
}

#[test]
fn what_is_written_reads_back_the_same() {
    for text in [
        "",
        "jitter = false\nblur = { kernel = 3 }",
        "order = ['crop', 'late', 'flip']\nlate = { name = 'blur', p = 1 }\njitter = false\ngrayscale = false",
        "order = ['crop', 'flip', 'jitter', 'grayscale', 'late']\neach = [{ late = 'takes' }, {}]",
        MOCO_V3,
    ] {
        let table = written(&views(text));
        let again = ImageViews::new(table.clone()).unwrap();
        assert_eq!(written(&again), table, "{text}");
        for view in [0, 1] {
            let key = ViewKey { view, ..key(6) };
            assert!(rendered(&again, key) == rendered(&views(text), key), "{text}");
        }
    }
}

#[test]
fn the_keys_that_are_read_are_listed_with_the_transforms_of_other_crates() {
    let keys = fmicl_core::registry::fields::<ImageViews>();
    for key in [
        "size",
        "eval_resize",
        "normalize",
        "order",
        "each",
        "crop",
        "blur",
        "takes",
    ] {
        assert!(keys.contains(&key), "{keys:?}");
    }
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

#[test]
fn errors_name_the_key() {
    let error = |toml| read(toml).unwrap_err().to_string();
    assert_eq!(error("size = 0"), "size: 0 is not from 1 to 4096 pixels");
    assert_eq!(error("flip = 1.5"), "flip.p: 1.5 is not a probability");
    assert_eq!(error("jitter = { hue = 0.7 }"), "jitter.hue: 0.7 is not from 0 to 0.5");
    assert_eq!(
        error("crop = 3"),
        "crop: expected true, false or a table of options; found 3, and `crop` has no probability `p`"
    );
    assert_eq!(
        error("flip = [1]"),
        "flip: expected true, false, a probability or a table of options; found array [1]"
    );
    let nested = error("blur = { sigmas = 3 }");
    assert!(
        nested.starts_with("blur.sigmas: unknown key (did you mean `sigma`?)"),
        "{nested}"
    );
    let kernel = "blur.kernel: 23 is too large for views of 8 pixels; at most 15 would work";
    assert_eq!(error("size = 8\nblur = { kernel = 23 }"), kernel);
    assert_eq!(
        error("eval_resize = 16"),
        "eval_resize: 16 is not from the view's size, 32, to 8192 pixels"
    );
    let unknown = error("grayscal = 0.2");
    let hint = "grayscal: unknown key (did you mean `grayscale`?); known keys: size, eval_resize, normalize, order, each, blur, ";
    assert!(unknown.starts_with(hint), "{unknown}");
    let unknown = error("late = { name = 'bluur' }");
    assert!(
        unknown.starts_with("late: no transform named `bluur` (did you mean `blur`?); registered: "),
        "{unknown}"
    );
}

#[test]
fn errors_of_the_order_and_of_each_view_name_their_place() {
    let error = |toml| read(toml).unwrap_err().to_string();
    assert_eq!(
        error("takes = true"),
        "takes: `order` does not say when it is applied: last would be `order = [\"crop\", \"flip\", \"jitter\", \
         \"grayscale\", \"blur\", \"takes\"]`, and never `takes = false`"
    );
    assert_eq!(
        error("order = ['flip', 'crop', 'jitter', 'grayscale']"),
        "crop: it frames the view, so nothing comes before it in `order`, and `flip` does"
    );
    let unknown = error("order = ['crop', 'flp']");
    let hint = "order[1]: no transform is called `flp` (did you mean `flip`?); there are ";
    assert!(unknown.starts_with(hint), "{unknown}");
    assert_eq!(error("order = ['crop', 'crop']"), "order[1]: `crop` is there twice");
    assert_eq!(
        error("each = [{}, { blur = { sigma = [0, 1] } }]"),
        "each[1].blur.sigma: [0, 1] is not a range above 0"
    );
    let unknown = error("each = [{ blurr = true }]");
    assert!(
        unknown.starts_with("each[0].blurr: unknown key (did you mean `blur`?)"),
        "{unknown}"
    );
    assert_eq!(
        error("each = [{}, { size = 96 }]"),
        "each[1].size: views of different sizes are not supported yet: `size` belongs in [views], for all"
    );
    assert_eq!(
        error("each = [{ normalize = {} }]"),
        "each[0].normalize: `normalize` belongs in [views], for all views"
    );
    assert_eq!(
        error("each = [{ order = 3 }]"),
        "each[0].order: expected a list of the transforms' names, in quotes"
    );
}

#[test]
fn another_number_of_views_than_there_are_recipes_is_refused() {
    let views = views("each = [{}, {}, {}]");
    let draw = Draw {
        indices: &[0],
        views: 2,
        seed: 0,
        epoch: 0,
    };
    let samples = Paths::new(vec!["nowhere".into()]);
    let error = views.random(&samples, &draw, &Stop::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2 views of a sample are needed, but views.each has 3"
    );
}
