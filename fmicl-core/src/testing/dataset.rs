//! The laws of a dataset's split.

use crate::Samples;

/// Checks that there is a sample, that labels are below the number of classes, that the first, middle and last images
/// decode to pixels that fit their size, and that reading one twice gives the same.
///
/// # Panics
/// With the law that is broken.
pub fn check_dataset(samples: &dyn Samples) {
    let (len, classes) = (samples.len(), samples.classes());
    assert!(len >= 1 && !samples.is_empty(), "an open split has no samples");
    for index in 0..len {
        let label = samples.label(index);
        assert!(
            label < classes,
            "the label of sample {index} is {label}; there are {classes} classes"
        );
    }
    for index in [0, len / 2, len - 1] {
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
    }
}
