use super::*;
use crate::transforms::{gaussian_blur, grayscale, resized_crop};
use fmicl_core::registry::{read_options, write_options};

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

fn read(toml: &str) -> Result<ImageViews> {
    let views: ImageViews = read_options(toml::from_str(toml).unwrap())?;
    views.validate().map(|()| views)
}

#[test]
fn a_view_is_a_pure_function_of_its_key() {
    let (views, image) = (
        ImageViews {
            blur: Switch::On(Blur {
                kernel: Some(3),
                ..Blur::default()
            }),
            ..ImageViews::default()
        },
        photo(50, 40),
    );
    let render = |key| {
        let mut out = vec![0.0; views.numel()];
        views.render(&image, key, &mut out);
        out
    };
    let base = ViewKey {
        seed: 1,
        epoch: 2,
        sample: 3,
        view: 0,
    };
    assert!(render(base) == render(base));
    let others = [
        ViewKey { seed: 9, ..base },
        ViewKey { epoch: 9, ..base },
        ViewKey { sample: 9, ..base },
        ViewKey { view: 1, ..base },
    ];
    assert!(others.into_iter().all(|other| render(base) != render(other)));
}

#[test]
fn steps_apply_in_the_order_crop_flip_jitter_grayscale_blur() {
    let jitter = Jitter {
        p: 1.0,
        ..Jitter::default()
    };
    let blur = Blur {
        kernel: Some(5),
        p: 1.0,
        ..Blur::default()
    };
    let on = (Switch::On(jitter.clone()), Switch::On(blur.clone()));
    let views = ImageViews {
        size: 24,
        flip: 1.0,
        grayscale: 1.0,
        jitter: on.0,
        blur: on.1,
        ..ImageViews::default()
    };
    let image = photo(50, 40);
    let mut found = vec![0.0; views.numel()];
    views.render(&image, key(5), &mut found);

    let mut rng = Rng::new(&[1, 2, 5, 0]);
    let area = Crop::default().sample(50, 40, &mut rng);
    let mut by_hand = resized_crop(&image, area, 24, 24);
    let _flip = rng.chance(1.0);
    horizontal_flip(&mut by_hand);
    let adjustments: Vec<Adjust> = jitter.sample(&mut rng);
    adjustments.into_iter().for_each(|adjust| adjust.apply(&mut by_hand));
    let _gray = rng.chance(1.0);
    grayscale(&mut by_hand);
    gaussian_blur(&mut by_hand, 5, blur.sample(&mut rng).unwrap());
    let mut expected = vec![0.0; views.numel()];
    views.normalize.apply(&by_hand, &mut expected);
    assert!(found == expected);
}

#[test]
fn flip_and_grayscale_have_their_probabilities() {
    let off = ImageViews {
        size: 4,
        crop: Switch::Off,
        jitter: Switch::Off,
        ..ImageViews::default()
    };
    let views = ImageViews {
        flip: 0.3,
        grayscale: 0.6,
        normalize: Normalize {
            mean: [0.0; 3],
            std: [1.0; 3],
        },
        ..off
    };
    let image = photo(4, 4);
    let (mut flipped, mut gray) = (0, 0);
    let mut out = vec![0.0; views.numel()];
    for sample in 0..10_000 {
        views.render(&image, key(sample), &mut out);
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
    let views = ImageViews {
        size: 24,
        ..ImageViews::default()
    };
    let image = photo(24, 24);
    let (mut found, mut expected) = (vec![0.0; views.numel()], vec![0.0; views.numel()]);
    views.evaluate(&image, &mut found);
    views.normalize.apply(&Planes::from(&image), &mut expected);
    assert!(found == expected);
}

#[test]
fn parts_are_turned_off_and_on_in_toml() {
    let views = read("size = 96\ncrop = false\njitter = { hue = 0.2 }\nblur = true\neval_resize = 110").unwrap();
    assert_eq!((views.crop, views.blur), (Switch::Off, Switch::On(Blur::default())));
    assert_eq!(
        views.jitter,
        Switch::On(Jitter {
            hue: 0.2,
            ..Jitter::default()
        })
    );
    assert_eq!(read("").unwrap(), ImageViews::default());
}

#[test]
fn what_is_written_reads_back_the_same() {
    for views in [
        ImageViews::default(),
        ImageViews {
            jitter: Switch::Off,
            blur: Switch::On(Blur {
                kernel: Some(3),
                ..Blur::default()
            }),
            ..ImageViews::default()
        },
    ] {
        assert_eq!(
            read_options::<ImageViews>(write_options(&views).unwrap()).unwrap(),
            views
        );
    }
}

#[test]
fn errors_name_the_key() {
    let error = |toml| read(toml).unwrap_err().to_string();
    assert_eq!(error("size = 0"), "size: 0 is not from 1 to 4096 pixels");
    assert_eq!(error("flip = 1.5"), "flip: 1.5 is not a probability");
    assert_eq!(error("jitter = { hue = 0.7 }"), "jitter.hue: 0.7 is not from 0 to 0.5");
    assert_eq!(
        error("crop = 3"),
        "crop: expected true, false or a table of options, found the number 3"
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
}
