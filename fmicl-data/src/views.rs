//! The `[views]` of an experiment: from an image to a normalised view.

use crate::transforms::{Blur, Crop, CropBox, Jitter, Normalize};
use crate::transforms::{center_crop, gaussian_blur, grayscale, horizontal_flip, resize_shorter_side, resized_crop};
use crate::{Planes, Rng, Switch};
use fmicl_core::{Image, Result, require};
use serde::{Deserialize, Serialize};

/// How views are made, in this order: crop, flip, jitter, grayscale, blur, normalise.
///
/// `crop`, `jitter` and `blur` are tables of options, or `false` for none, or `true` for all defaults. The defaults
/// are SimCLR's recipe for CIFAR-10 (arXiv 2002.05709, appendix B.9), which has no blur:
///
/// ```toml
/// [views]
/// size = 32
/// crop = { scale = [0.08, 1.0], ratio = [0.75, 1.3333333333333333] }
/// flip = 0.5
/// jitter = { brightness = 0.4, contrast = 0.4, saturation = 0.4, hue = 0.1, p = 0.8 }
/// grayscale = 0.2
/// blur = false
/// normalize = { mean = [0.4914, 0.4822, 0.4465], std = [0.2470, 0.2435, 0.2616] }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Views {
    /// The side of a view in pixels, at least 1.
    pub size: usize,
    /// For evaluation, the shorter side in pixels before the centre is cropped: torchvision's `Resize(eval_resize)`
    /// before `CenterCrop(size)`. Absent: `size`. For photos 8/7 of it is usual (256 for 224).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_resize: Option<usize>,
    /// torchvision's `RandomResizedCrop(size, scale, ratio)`. Off: the view is framed as in evaluation.
    pub crop: Switch<Crop>,
    /// torchvision's `RandomHorizontalFlip(flip)`: a probability.
    pub flip: f64,
    /// torchvision's `RandomApply([ColorJitter(...)], p)`.
    pub jitter: Switch<Jitter>,
    /// torchvision's `RandomGrayscale(grayscale)`: a probability.
    pub grayscale: f64,
    /// torchvision's `RandomApply([GaussianBlur(kernel, sigma)], p)`.
    pub blur: Switch<Blur>,
    /// torchvision's `Normalize(mean, std)` after `ToTensor()`.
    pub normalize: Normalize,
}

impl Default for Views {
    fn default() -> Self {
        Views {
            size: 32,
            eval_resize: None,
            crop: Switch::On(Crop::default()),
            flip: 0.5,
            jitter: Switch::On(Jitter::default()),
            grayscale: 0.2,
            blur: Switch::Off,
            normalize: Normalize::default(),
        }
    }
}

/// What the randomness of a view is a pure function of; neither threads nor batches are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewKey {
    /// The run's seed.
    pub seed: u64,
    /// The epoch.
    pub epoch: u64,
    /// The sample's index in its dataset.
    pub sample: u64,
    /// Which view of the sample.
    pub view: u64,
}

impl Views {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`fmicl_core::Error::Config`] with the dotted key.
    pub fn validate(&self) -> Result<()> {
        require((1..=4096).contains(&self.size), "size", || {
            format!("{} is not from 1 to 4096 pixels", self.size)
        })?;
        let eval = self.eval_resize.unwrap_or(self.size);
        require((self.size..=8192).contains(&eval), "eval_resize", || {
            format!("{eval} is not from the view's size, {}, to 8192 pixels", self.size)
        })?;
        for (key, p) in [("flip", self.flip), ("grayscale", self.grayscale)] {
            require((0.0..=1.0).contains(&p), key, || format!("{p} is not a probability"))?;
        }
        self.crop
            .on()
            .map_or(Ok(()), Crop::validate)
            .map_err(|error| error.at("crop"))?;
        self.jitter
            .on()
            .map_or(Ok(()), Jitter::validate)
            .map_err(|error| error.at("jitter"))?;
        self.blur
            .on()
            .map_or(Ok(()), |blur| blur.validate(self.size))
            .map_err(|error| error.at("blur"))?;
        self.normalize.validate().map_err(|error| error.at("normalize"))
    }

    /// The number of floats in a view: `3 * size * size`.
    pub fn numel(&self) -> usize {
        3 * self.size * self.size
    }

    /// Writes the random view that `key` stands for to `out`, [`numel`](Views::numel) normalised floats in the order
    /// channel, row, column.
    pub fn render(&self, image: &Image, key: ViewKey, out: &mut [f32]) {
        let mut rng = Rng::new(&[key.seed, key.epoch, key.sample, key.view]);
        let mut view = match self.crop.on() {
            Some(crop) => {
                let area = crop.sample(image.width, image.height, &mut rng);
                resized_crop(image, area, self.size, self.size)
            }
            None => self.frame(image),
        };
        if rng.chance(self.flip) {
            horizontal_flip(&mut view);
        }
        if let Some(jitter) = self.jitter.on() {
            jitter
                .sample(&mut rng)
                .into_iter()
                .for_each(|adjust| adjust.apply(&mut view));
        }
        if rng.chance(self.grayscale) {
            grayscale(&mut view);
        }
        if let Some(blur) = self.blur.on()
            && let Some(sigma) = blur.sample(&mut rng)
        {
            gaussian_blur(&mut view, blur.kernel, sigma);
        }
        self.normalize.apply(&view, out);
    }

    /// Writes the view for evaluation to `out`, as [`render`](Views::render) does: the shorter side resized, the
    /// centre cropped, normalised.
    pub fn evaluate(&self, image: &Image, out: &mut [f32]) {
        self.normalize.apply(&self.frame(image), out);
    }

    /// The centre of the image with its shorter side resized, `size` x `size`.
    fn frame(&self, image: &Image) -> Planes {
        let resized = resize_shorter_side(image, self.eval_resize.unwrap_or(self.size));
        let CropBox { top, left, .. } = center_crop(resized.width, resized.height, self.size);
        let mut framed = Planes::new(self.size, self.size);
        for (plane, framed) in resized.split().into_iter().zip(framed.split_mut()) {
            for (row, framed) in plane[top * resized.width..]
                .chunks(resized.width)
                .zip(framed.chunks_exact_mut(self.size))
            {
                framed.copy_from_slice(&row[left..left + self.size]);
            }
        }
        framed
    }
}
