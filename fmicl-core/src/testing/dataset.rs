//! The laws of a dataset's split.

use crate::{Image, Region, Samples};
use std::collections::HashSet;

/// Checks that an open split has samples, weights that are finite and not negative, labels below its number of classes, a name for each class or for none, and portions
/// with names of their own that hold at least its samples (a subset holds fewer). The first, middle and last samples are
/// read twice: an image's pixels fit its size and its patches are parts of it; texts are one to three, never empty.
///
/// # Panics
/// With the law that is broken.
pub fn check_dataset(samples: &dyn Samples) {
    let (len, classes) = (samples.len(), samples.classes());
    assert!(len >= 1 && !samples.is_empty(), "an open split has no samples");
    for index in 0..len {
        let label = samples.label(index);
        assert!(
            label < classes.max(1),
            "the label of sample {index} is {label}; there are {classes} classes"
        );
    }
    for index in 0..len {
        let weight = samples.weight(index);
        assert!(
            weight.is_finite() && weight >= 0.0,
            "the weight of sample {index} is {weight}"
        );
    }
    let portions = samples.portions();
    let in_portions: usize = portions.iter().map(|portion| portion.samples).sum();
    assert!(
        in_portions >= len,
        "{in_portions} samples are in portions, and there are {len}"
    );
    let mut names = HashSet::new();
    for portion in &portions {
        assert!(
            names.insert(&portion.name),
            "two portions are called `{}`",
            portion.name
        );
    }
    assert_eq!(
        portions,
        samples.portions(),
        "the portions are others when they are asked for again"
    );
    let names = samples.class_names();
    assert!(
        names.is_empty() || names.len() == classes,
        "{} names for {classes} classes",
        names.len()
    );
    let texts = samples.texts(0).ok().map(|texts| texts.len());
    for index in [0, len / 2, len - 1] {
        match texts {
            Some(count) => check_texts(samples, index, count),
            None => check_image(samples, index),
        }
    }
}

fn check_texts(samples: &dyn Samples, index: usize, count: usize) {
    let read = || {
        let texts = samples.texts(index);
        texts.unwrap_or_else(|error| panic!("sample {index}: {error}"))
    };
    let texts = read();
    assert!((1..=3).contains(&count), "sample 0 has {count} texts");
    assert_eq!(
        texts.len(),
        count,
        "sample {index} has another number of texts than sample 0"
    );
    assert!(
        texts.iter().all(|text| !text.is_empty()),
        "sample {index} has an empty text"
    );
    assert_eq!(texts, read(), "sample {index} is another text when it is read again");
}

fn check_image(samples: &dyn Samples, index: usize) {
    let image = samples
        .image(index)
        .unwrap_or_else(|error| panic!("sample {index}: {error}"));
    assert!(image.width >= 1 && image.height >= 1, "sample {index} has no pixels");
    let bytes = image.width * image.height * 3;
    assert_eq!(
        image.pixels.len(),
        bytes,
        "sample {index}: bytes for {} x {} pixels",
        image.width,
        image.height
    );
    let again = samples
        .image(index)
        .unwrap_or_else(|error| panic!("sample {index}, read again: {error}"));
    assert!(image == again, "sample {index} is another image when it is read again");
    check_patch(samples, index, &image, Region::whole);
    // Odd numbers, since codecs work in blocks.
    check_patch(samples, index, &image, |width, height| Region {
        top: height / 3,
        left: width / 5,
        height: height.div_ceil(3),
        width: width.div_ceil(2),
    });
}

fn check_patch(samples: &dyn Samples, index: usize, image: &Image, pick: impl Fn(usize, usize) -> Region) {
    let mut asked = None;
    let patch = samples.patch(index, &mut |width, height| *asked.insert(pick(width, height)));
    let patch = patch.unwrap_or_else(|error| panic!("a patch of sample {index}: {error}"));
    let region = pick(image.width, image.height);
    assert_eq!(
        asked,
        Some(region),
        "sample {index}: a patch is chosen for another size"
    );
    assert_eq!(
        patch.region.union(region),
        patch.region,
        "sample {index}: a patch lacks pixels that were asked for"
    );
    let (found, stride) = patch.rows(region);
    for row in 0..region.height {
        let of_image = &image.pixels[((region.top + row) * image.width + region.left) * 3..][..region.width * 3];
        assert!(
            found[row * stride..][..region.width * 3] == *of_image,
            "sample {index}: row {row} of the patch {region:?} differs from the image"
        );
    }
}
