//! From an image to a normalised view.

use super::lines::Paths;
use super::render::render_all;
use crate::transforms::{Adjust, Blur, Blurrer, Crop, Interleaved, Jitter, Normalize, Pending, Resizer};
use crate::transforms::{horizontal_flip, resize_and_center_crop};
use crate::{Planes, Rng, Switch};
use fmicl_core::{
    Draw, Error, Image, Input, Modality, Patch, Region, Result, Samples, Stop, View, Views, register, require,
};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::sync::Arc;
use tch::Tensor;

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
pub struct ImageViews {
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

impl Default for ImageViews {
    fn default() -> Self {
        ImageViews {
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

register!(
    Views,
    "image",
    ImageViews,
    "crop, flip, jitter, grayscale, blur and normalise, as torchvision does"
);

impl Views for ImageViews {
    fn validate(&self) -> Result<()> {
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

    fn modality(&self) -> Modality {
        Modality::Images
    }

    fn input(&self) -> Result<Input> {
        Ok(Input::Images { size: self.size as i64 })
    }

    fn summary(&self) -> String {
        let Normalize { mean, std } = &self.normalize;
        let whose = if self.normalize == Normalize::default() {
            " (CIFAR-10's)"
        } else {
            ""
        };
        format!(
            "{0} x {0} pixels, normalised by mean {mean:?} and deviation {std:?}{whose}",
            self.size
        )
    }

    fn doubts(&self, samples: &dyn Samples) -> Vec<String> {
        doubts::of(self, samples)
    }

    fn random(&self, samples: &dyn Samples, draw: &Draw, stop: &Stop) -> Result<Vec<View>> {
        let tensors = render_all(draw.indices, draw.views, self, stop, |sample, slots| {
            let key = |view| ViewKey {
                seed: draw.seed,
                epoch: draw.epoch,
                sample: sample as u64,
                view: view as u64,
            };
            let mut plans: Vec<Plan> = Vec::new();
            let patch = samples.patch(sample, &mut |width, height| {
                plans = (0..draw.views)
                    .map(|view| self.plan(width, height, key(view)))
                    .collect();
                let regions = plans.iter().map(|plan| plan.region(width, height));
                // There is at least one view.
                regions.reduce(Region::union).unwrap_or(Region::whole(width, height))
            })?;
            if plans.is_empty() {
                return Err(Error::Run(format!(
                    "sample {sample} came without asking what of it is wanted (`Samples::patch`)"
                )));
            }
            for (plan, slot) in plans.iter().zip(slots) {
                self.draw(&patch, plan, slot);
            }
            Ok(())
        })?;
        Ok(tensors.into_iter().map(View::from).collect())
    }

    fn evaluation(&self, samples: &dyn Samples, indices: &[usize], stop: &Stop) -> Result<View> {
        let mut tensors = render_all(indices, 1, self, stop, |sample, slots| {
            let image = samples.image(sample)?;
            slots.iter_mut().for_each(|slot| self.evaluate(&image, slot));
            Ok(())
        })?;
        Ok(tensors.remove(0).into())
    }

    fn lines(&self, lines: Vec<String>) -> Result<Arc<dyn Samples>> {
        Ok(Arc::new(Paths::new(lines)))
    }

    fn raw(&self, view: &View) -> Option<Tensor> {
        Some(view.input.flatten(1, -1))
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

/// What was drawn for a view.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The crop; `None` where the view is framed as in evaluation.
    crop: Option<Region>,
    mirrored: bool,
    adjustments: Vec<Adjust>,
    gray: bool,
    /// Of the blur.
    sigma: Option<f64>,
}

impl Plan {
    /// The part of the image, of `width` x `height`, that the view is made of.
    pub fn region(&self, width: usize, height: usize) -> Region {
        self.crop.unwrap_or(Region::whole(width, height))
    }
}

/// Memory that a thread uses for one view after another.
#[derive(Default)]
struct Scratch {
    resizer: Resizer,
    blurrer: Blurrer,
    view: Planes,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl ImageViews {
    /// The number of floats in a view: `3 * size * size`.
    pub fn numel(&self) -> usize {
        3 * self.size * self.size
    }

    /// Draws what is random in the view that `key` stands for, of an image of `width` x `height`.
    pub fn plan(&self, width: usize, height: usize, key: ViewKey) -> Plan {
        let mut rng = Rng::new(&[key.seed, key.epoch, key.sample, key.view]);
        Plan {
            crop: self.crop.on().map(|crop| crop.sample(width, height, &mut rng)),
            mirrored: rng.chance(self.flip),
            adjustments: self.jitter.on().map_or(vec![], |jitter| jitter.sample(&mut rng)),
            gray: rng.chance(self.grayscale),
            sigma: self.blur.on().and_then(|blur| blur.sample(&mut rng)),
        }
    }

    /// Writes the planned view to `out`, [`numel`](ImageViews::numel) normalised floats in the order channel, row, column.
    /// `patch` holds what [`Plan::region`] asks for.
    pub fn draw(&self, patch: &Patch, plan: &Plan, out: &mut [f32]) {
        SCRATCH.with_borrow_mut(|Scratch { resizer, blurrer, view }| {
            match plan.crop {
                Some(area) => {
                    view.reshape(self.size, self.size);
                    resizer.resize(Interleaved::new(patch, area), plan.mirrored, view);
                }
                None => {
                    *view = self.frame(patch);
                    if plan.mirrored {
                        horizontal_flip(view);
                    }
                }
            }
            let mut view = Pending::new(view);
            plan.adjustments.iter().for_each(|&adjust| view.adjust(adjust));
            if plan.gray {
                view.gray();
            }
            if let (Some(blur), Some(sigma)) = (self.blur.on(), plan.sigma) {
                let sharp = view.finish();
                blurrer.blur(sharp, blur.kernel_for(self.size), sigma);
                view = Pending::new(sharp);
            }
            view.normalize(&self.normalize, out);
        });
    }

    /// Plans and draws the view of `image` that `key` stands for.
    pub fn render(&self, image: &Image, key: ViewKey, out: &mut [f32]) {
        self.draw(&image.into(), &self.plan(image.width, image.height, key), out);
    }

    /// Writes the view for evaluation to `out`, as [`render`](ImageViews::render) does: the shorter side resized, the
    /// centre cropped, normalised.
    pub fn evaluate(&self, image: &Image, out: &mut [f32]) {
        self.normalize.apply(&self.frame(&image.into()), out);
    }

    /// The view before it is normalised, as in evaluation; of a whole image.
    fn frame(&self, image: &Patch) -> Planes {
        resize_and_center_crop(image, self.eval_resize.unwrap_or(self.size), self.size)
    }
}

mod doubts;
#[cfg(test)]
mod tests;
