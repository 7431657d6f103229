//! The options: what is written, what is read, and what is refused.

use super::*;

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
        "channels",
        "range",
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
    let hint = "grayscal: unknown key (did you mean `grayscale`?); known keys: size, channels, range, eval_resize, normalize, order, each, blur, ";
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
