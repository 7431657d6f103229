//! The pieces of a view, at 32 and at 224 pixels, and whole views: `cargo bench -p fmicl-data`.
//!
//! The photo is a golden one, enlarged; `-- --test` runs everything once.

use criterion::{Criterion, criterion_group, criterion_main};
use fmicl_core::{Image, PixelOp, Planes, Region};
use fmicl_data::transforms::{apply_pixels, gaussian_blur, horizontal_flip, resized_crop};
use fmicl_data::{ImageViews, Normalize, ViewKey, decode};
use image::imageops::{FilterType, resize};
use std::hint::black_box;
use std::path::Path;

/// A transform, in place.
type Step<'a> = &'a dyn Fn(&mut Planes);

/// The golden photo at another size.
fn photo(width: u32, height: u32) -> image::RgbImage {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/coffee.png");
    let photo = image::open(path).expect("a golden file").to_rgb8();
    resize(&photo, width, height, FilterType::CatmullRom)
}

fn as_image(photo: image::RgbImage) -> Image {
    Image::new(photo.width() as usize, photo.height() as usize, photo.into_raw())
}

fn transforms(criterion: &mut Criterion) {
    for (size, image) in [(32, as_image(photo(32, 32))), (224, as_image(photo(500, 375)))] {
        let mut group = criterion.benchmark_group(size.to_string());
        let area = Region {
            top: image.height / 5,
            left: image.width / 7,
            height: image.height * 2 / 3,
            width: image.width * 2 / 3,
        };
        group.bench_function("resized crop", |b| {
            b.iter(|| resized_crop(black_box(&image), area, size, size))
        });
        let mut view = resized_crop(&image, area, size, size);
        let steps: [(&str, Step); 7] = [
            ("flip", &horizontal_flip),
            ("brightness", &|view| apply_pixels(view, &[PixelOp::Brightness(1.1)])),
            ("contrast", &|view| apply_pixels(view, &[PixelOp::Contrast(1.1)])),
            ("saturation", &|view| apply_pixels(view, &[PixelOp::Saturation(1.1)])),
            ("hue", &|view| apply_pixels(view, &[PixelOp::Hue(0.05)])),
            ("grayscale", &|view| apply_pixels(view, &[PixelOp::Gray])),
            ("blur", &|view| gaussian_blur(view, 23, 1.0)),
        ];
        for (name, step) in steps {
            group.bench_function(name, |b| b.iter(|| step(black_box(&mut view))));
        }
        let (normalize, mut floats) = (Normalize::default(), vec![0.0; 3 * size * size]);
        group.bench_function("normalize", |b| {
            b.iter(|| normalize.apply(black_box(&view), &mut floats))
        });
    }
}

/// Keys of one view after another.
fn keys() -> impl FnMut() -> ViewKey {
    let mut sample = 0;
    move || {
        sample += 1;
        ViewKey {
            seed: 0,
            epoch: 0,
            sample,
            view: 0,
        }
    }
}

fn views(criterion: &mut Criterion) {
    let (cifar, image) = (ImageViews::default(), as_image(photo(32, 32)));
    let (mut key, mut out) = (keys(), vec![0.0; cifar.numel()]);
    criterion.bench_function("a view of a CIFAR image", |b| {
        b.iter(|| {
            cifar
                .render(black_box(&image), key(), &mut out)
                .expect("sound transforms")
        })
    });

    let imagenet = "size = 224\nblur = true".parse().expect("a table of options");
    let imagenet = ImageViews::new(imagenet).expect("options in range");
    let mut jpeg = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 90);
    photo(500, 375)
        .write_with_encoder(encoder)
        .expect("an image that can be encoded");
    criterion.bench_function("a JPEG of 500 x 375, whole", |b| {
        b.iter(|| decode(black_box(&jpeg), Path::new("photo"), &mut Region::whole).expect("a whole file"))
    });
    let mut out = vec![0.0; imagenet.numel()];
    criterion.bench_function("two views of a JPEG of 500 x 375", |b| {
        b.iter(|| {
            let keys = [key(), key()];
            let mut plans = None;
            let patch = decode(black_box(&jpeg), Path::new("photo"), &mut |width, height| {
                let plan = |key| imagenet.plan(width, height, key).expect("sound transforms");
                let [first, second] = plans.insert(keys.map(plan));
                first.region(width, height).union(second.region(width, height))
            });
            let patch = patch.expect("a whole file");
            for plan in plans.iter().flatten() {
                imagenet.draw(&patch, plan, &mut out).expect("sound transforms");
            }
        })
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(1))
        .warm_up_time(std::time::Duration::from_millis(300)).without_plots();
    targets = transforms, views
}
criterion_main!(benches);
