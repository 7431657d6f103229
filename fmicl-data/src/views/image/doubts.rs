//! Images that meet defaults which are of others, CIFAR-10's or of none in particular, and images that come out as one colour.

use super::{ImageViews, Triples};
use crate::Normalize;
use crate::transforms::grayed;
use fmicl_core::{Image, Result, Samples};

/// Images that are looked at.
const MOST: usize = 32;
/// Twice the default size: what is as large is no icon.
const PHOTO: usize = 64;
/// The standard deviation over all pixels below which images are hardly more than one colour; of photos it is about 0.25.
const FLAT: f32 = 0.02;

/// A line each about the size and the normalisation, where the defaults are used for photos. Those of other channels than RGB are
/// of no images in particular: they are told whatever the size. Images of one colour are told of alone: their normalisation is of no use.
pub(super) fn of(views: &ImageViews, samples: &dyn Samples) -> Vec<String> {
    let default = ImageViews::default();
    let (size, normalize) = (
        views.size == default.size,
        views.normalize == Normalize::of(views.channels),
    );
    if !size && !normalize && !views.of_bands() {
        return vec![];
    }
    // Those that cannot be read are found elsewhere.
    let count = samples.len().min(MOST);
    let images: Vec<Triples> = (0..count)
        .flat_map(|i| read(views, samples, i * samples.len() / count))
        .collect();
    let median = |side: fn(&Triples) -> usize| {
        let mut sides: Vec<_> = images.iter().map(side).collect();
        sides.sort_unstable();
        sides.get(sides.len() / 2).copied().unwrap_or(0)
    };
    let (width, height) = (median(|image| image.width), median(|image| image.height));
    let is_photo = width.min(height) >= PHOTO;
    let mut doubts = Vec::new();
    if size && is_photo {
        doubts.push(format!(
            "views.size is {}, the default, and images have {width} x {height} pixels in the median: 224 is usual for photos",
            views.size
        ));
    }
    if images.is_empty() {
        return doubts;
    }
    let Normalize { mean, std } = measured(&images, views.channels);
    if std.iter().all(|&std| std < FLAT) {
        doubts.push(format!(
            "{} of these images are hardly more than one colour as views see them: their standard deviation is {std:.4?} on a scale \
             from 0 to 1; `views.range` says which values of TIFF, PNG and .npy files become 0 and 255",
            images.len()
        ));
    } else if normalize && (is_photo || views.channels != 3) {
        doubts.push(format!(
            "views.normalize is {}, the default; of {} of these images: {{ mean = {mean:.3?}, std = {std:.3?} }}",
            match views.channels {
                3 => "CIFAR-10's",
                _ => "for no images in particular",
            },
            images.len()
        ));
    }
    doubts
}

/// A sample as the views see it before they crop it.
fn read(views: &ImageViews, samples: &dyn Samples, index: usize) -> Result<Triples> {
    if views.of_bands() {
        return views.read_bands(samples, index);
    }
    let image = samples.image(index)?;
    let (width, height) = (image.width, image.height);
    let image = match views.channels {
        1 => Image::new(width, height, grayed(&image.into()).pixels.into_owned()),
        _ => image,
    };
    Ok(Triples {
        width,
        height,
        images: vec![image],
    })
}

/// Mean and standard deviation of each channel over the pixels of all images, each image as much as another.
fn measured(images: &[Triples], channels: usize) -> Normalize {
    let (mut sums, mut squares) = (vec![0.0f64; channels], vec![0.0f64; channels]);
    for all in images {
        let weight = 1.0 / (all.width * all.height * images.len()) as f64;
        for channel in 0..channels {
            let values = all.images[channel / 3].pixels.iter().skip(channel % 3).step_by(3);
            for &value in values {
                let value = f64::from(value) / 255.0;
                sums[channel] += weight * value;
                squares[channel] += weight * value * value;
            }
        }
    }
    let std = |channel: usize| (squares[channel] - sums[channel] * sums[channel]).max(0.0).sqrt();
    Normalize {
        mean: sums.iter().map(|&mean| mean as f32).collect(),
        std: (0..channels).map(|channel| std(channel) as f32).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of this size: the upper half black, the lower of one colour.
    struct Halves(usize, usize);

    impl Samples for Halves {
        fn len(&self) -> usize {
            5
        }

        fn image(&self, index: usize) -> Result<Image> {
            let Halves(width, height) = *self;
            if index == 1 {
                return Err(fmicl_core::Error::data("x", "is broken"));
            }
            let pixel = |at: usize| {
                if at < width * height / 2 {
                    [0, 0, 0]
                } else {
                    [255, 51, 0]
                }
            };
            Ok(Image::new(width, height, (0..width * height).flat_map(pixel).collect()))
        }
    }

    #[test]
    fn photos_at_the_defaults_of_cifar_are_told_with_their_size_and_their_own_normalisation() {
        let doubts = of(&ImageViews::default(), &Halves(100, 80));
        assert_eq!(
            doubts,
            [
                "views.size is 32, the default, and images have 100 x 80 pixels in the median: 224 is usual for photos",
                "views.normalize is CIFAR-10's, the default; of 4 of these images: { mean = [0.500, 0.100, 0.000], std = \
                 [0.500, 0.100, 0.000] }",
            ]
        );
        let views = |text: &str| ImageViews::new(text.parse().unwrap()).unwrap();
        assert_eq!(of(&views("size = 96"), &Halves(100, 80)).len(), 1);
        assert_eq!(of(&ImageViews::default(), &Halves(100, 40)), [""; 0]);
        let chosen = views("size = 96\nnormalize = { mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }");
        assert_eq!(of(&chosen, &Halves(100, 80)), [""; 0]);
        // What is of no images in particular is told of small ones, too: half of them are black, half have the luma 106.
        assert_eq!(
            of(&views("channels = 1"), &Halves(10, 8)),
            [
                "views.normalize is for no images in particular, the default; of 4 of these images: { mean = [0.208], std = [0.208] }"
            ]
        );
    }

    /// One value but for a pixel.
    struct Flat;

    impl Samples for Flat {
        fn len(&self) -> usize {
            3
        }

        fn image(&self, _: usize) -> Result<Image> {
            let mut pixels = vec![7; 100 * 100 * 3];
            pixels[..3].fill(255);
            Ok(Image::new(100, 100, pixels))
        }
    }

    #[test]
    fn images_of_one_colour_are_told_of_and_no_normalisation_is_made_of_them() {
        let views = |text: &str| ImageViews::new(text.parse().unwrap()).unwrap();
        let told =
            "3 of these images are hardly more than one colour as views see them: their standard deviation is [0.0097";
        for text in ["size = 96", "size = 96\nchannels = 1", "size = 96\nrange = [0, 255]"] {
            let doubts = of(&views(text), &Flat);
            assert!(doubts.len() == 1 && doubts[0].starts_with(told), "{text}: {doubts:?}");
        }
    }
}
