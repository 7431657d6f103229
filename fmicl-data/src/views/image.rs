//! From an image to a normalised view.

use super::lines::Paths;
use super::render::render_all;
use crate::transforms::Normalize;
pub use bands::Triples;
use fmicl_core::registry::read_options;
use fmicl_core::{
    CropAndFlip, Documented, Draw, Error, Input, Modality, Region, Result, Samples, Stop, View, Views, register,
    require,
};
use fmicl_core::{tch::Tensor, toml::Table};
pub use plan::{Plan, ViewKey};
use range::Range;
use recipe::Recipes;
use std::sync::{Arc, OnceLock};

/// How views of images are made: a recipe of transforms, then `ToTensor` and `Normalize`.
///
/// Each transform stands under its name: a table of options, `true` for all defaults, `false` for none, or a number for the
/// probability `p`. `order` says which comes first. The defaults are SimCLR's recipe for CIFAR-10 (arXiv 2002.05709,
/// appendix B.9), which has no blur:
///
/// ```toml
/// [views]
/// size = 32
/// order = ["crop", "flip", "jitter", "grayscale", "blur"]
/// crop = { scale = [0.08, 1.0], ratio = [0.75, 1.3333333333333333] }
/// flip = 0.5
/// jitter = { brightness = 0.4, contrast = 0.4, saturation = 0.4, hue = 0.1, p = 0.8 }
/// grayscale = 0.2
/// blur = false
/// normalize = { mean = [0.4914, 0.4822, 0.4465], std = [0.2470, 0.2435, 0.2616] }
/// ```
///
/// Where the views of a sample differ, there is an entry for each, with what it changes of that. MoCo v3's (arXiv 2104.02057):
///
/// ```toml
/// [views]
/// order = ["crop", "jitter", "grayscale", "blur", "solarize", "flip"]
/// jitter = { saturation = 0.2 }
/// [[views.each]]
/// blur = 1.0
/// [[views.each]]
/// blur = 0.1
/// solarize = 0.2
/// ```
///
/// A transform can stand there twice, or under another name than its own: `late = { name = "blur", p = 0.1 }`.
#[derive(Debug, Documented, Clone)]
pub struct ImageViews {
    /// The side of a view in pixels, from 1 to 4096.
    pub(super) size: usize,
    /// Channels of a view: 3, RGB, the default; or 1, gray as with PIL's `convert("L")` before anything else; or as many as the
    /// files store, up to 1024, such as the 13 bands of a satellite. Of gray views the default recipe turns no colours: `grayscale` is off,
    /// and `jitter` without saturation and hue; of other channels than 1 and 3 `jitter` has brightness alone, the same for all.
    channels: usize,
    /// The values that become 0 and 255 where files store others than bytes: `[0, 10000]`, or such a pair for each channel. Between
    /// them the nearest byte is taken. With it, samples of 1 and 3 channels are read as they are stored, too. Absent by default.
    range: Option<Range>,
    /// For evaluation, the shorter side in pixels before the centre is cropped: torchvision's `Resize(eval_resize)`
    /// before `CenterCrop(size)`. Absent by default: `size`. For photos 8/7 of it is usual (256 for 224). A view whose recipe frames
    /// nothing is framed so, too.
    eval_resize: Option<usize>,
    /// torchvision's `Normalize(mean, std)` after `ToTensor()`; by default with the mean and deviation of CIFAR-10; of
    /// other channels than 3 with 0.5 and 0.5 for each.
    normalize: Normalize,
    /// The order in which the transforms are applied, by their keys; one that is on must be in it.
    order: Option<Vec<String>>,
    /// Differences between the views of a sample: a table for each view, laid over this one. Absent by default: none.
    each: Vec<Table>,
    /// The transforms' options by their keys, as they were written.
    transforms: Table,
    /// The recipes, built by [`validate`](Views::validate).
    recipes: OnceLock<Arc<Recipes>>,
}

/// The most channels, more than any camera has.
const MOST_CHANNELS: usize = 1024;

register!(
    Views,
    "image",
    ImageViews,
    "a recipe of transforms, then normalise, as torchvision does; `each` has what differs between views"
);

impl ImageViews {
    /// The views of these options, those of `[views]` in an experiment.
    ///
    /// # Errors
    /// [`Error::Config`] at the option.
    pub fn new(options: Table) -> Result<Self> {
        let views: ImageViews = read_options(options)?;
        views.validate().map(|()| views)
    }

    /// The number of floats in a view: `channels * size * size`.
    pub fn numel(&self) -> usize {
        self.channels * self.size * self.size
    }

    /// Channels, rows and columns of a view.
    fn shape(&self) -> [usize; 3] {
        [self.channels, self.size, self.size]
    }

    /// The shorter side before the centre is cropped.
    fn resized(&self) -> usize {
        self.eval_resize.unwrap_or(self.size)
    }

    /// # Panics
    /// Where the options were not validated, which all ways to make such views do.
    fn recipes(&self) -> &Recipes {
        #[expect(clippy::expect_used, reason = "a part is validated when it is built")]
        self.recipes.get().expect("the options are validated")
    }
}

impl Views for ImageViews {
    fn validate(&self) -> Result<()> {
        require((1..=4096).contains(&self.size), "size", || {
            format!("{} is not from 1 to 4096 pixels", self.size)
        })?;
        require((1..=MOST_CHANNELS).contains(&self.channels), "channels", || {
            format!("{} is not from 1 to {MOST_CHANNELS}", self.channels)
        })?;
        if let Some(range) = &self.range {
            range.validate(self.channels).map_err(|error| error.at("range"))?;
        }
        let eval = self.resized();
        require((self.size..=8192).contains(&eval), "eval_resize", || {
            format!("{eval} is not from the view's size, {}, to 8192 pixels", self.size)
        })?;
        self.normalize
            .validate(self.channels)
            .map_err(|error| error.at("normalize"))?;
        let recipes = Recipes::build(self)?;
        self.recipes.get_or_init(|| Arc::new(recipes));
        Ok(())
    }

    fn modality(&self) -> Modality {
        Modality::Images
    }

    fn input(&self) -> Result<Input> {
        Ok(Input::Images {
            size: self.size as i64,
            channels: self.channels as i64,
        })
    }

    fn bands(&self) -> Option<usize> {
        self.of_bands().then_some(self.channels)
    }

    fn count(&self) -> Option<usize> {
        self.recipes().count()
    }

    fn summary(&self) -> String {
        let Normalize { mean, std } = &self.normalize;
        let whose = match self.channels {
            _ if self.normalize != Normalize::of(self.channels) => "",
            3 => " (CIFAR-10's)",
            _ => " (the default)",
        };
        let channels = match self.channels {
            3 => String::new(),
            1 => ", gray".into(),
            channels => format!(", {channels} channels"),
        };
        let range = self.range.as_ref();
        let range = range.map_or(String::new(), |range| format!(", of {}", range.describe()));
        format!(
            "{0} x {0} pixels{channels}{range}, normalised by mean {mean:?} and deviation {std:?}{whose}",
            self.size
        )
    }

    fn doubts(&self, samples: &dyn Samples) -> Vec<String> {
        doubts::of(self, samples)
    }

    fn cropped_and_flipped(&self, augmentation: &CropAndFlip) -> Result<Arc<dyn Views>> {
        Ok(Arc::new(self.with_labels(augmentation)?))
    }

    fn random(&self, samples: &dyn Samples, draw: &Draw, stop: &Stop) -> Result<Vec<View>> {
        if let Some(count) = self.count().filter(|count| *count != draw.views) {
            return Err(Error::Run(format!(
                "{} views of a sample are needed, but views.each has {count}",
                draw.views
            )));
        }
        let tensors = render_all(draw.indices, draw.views, self.shape(), stop, |sample, slots| {
            let key = |view| ViewKey {
                seed: draw.seed,
                epoch: draw.epoch,
                sample: sample as u64,
                view: view as u64,
            };
            if self.of_bands() {
                let triples = self.read_bands(samples, sample)?;
                let draw = |(view, slot): (usize, &mut &mut [f32])| self.render_bands(&triples, key(view), slot);
                return slots.iter_mut().enumerate().try_for_each(draw);
            }
            let mut plans: Result<Vec<Plan>> = Ok(Vec::new());
            let patch = samples.patch(sample, &mut |width, height| {
                let plan = |view| self.plan(width, height, key(view));
                plans = (0..draw.views).map(plan).collect();
                let regions = plans.iter().flatten().map(|plan| plan.region(width, height));
                // There is at least one view, unless one cannot be drawn.
                regions.reduce(Region::union).unwrap_or(Region::whole(width, height))
            })?;
            let plans = plans?;
            if plans.is_empty() {
                return Err(Error::Run(format!(
                    "sample {sample} came without asking what of it is wanted (`Samples::patch`)"
                )));
            }
            plans
                .iter()
                .zip(slots)
                .try_for_each(|(plan, slot)| self.draw(&patch, plan, slot))
        })?;
        Ok(tensors.into_iter().map(View::from).collect())
    }

    fn evaluation(&self, samples: &dyn Samples, indices: &[usize], stop: &Stop) -> Result<View> {
        let mut tensors = render_all(indices, 1, self.shape(), stop, |sample, slots| {
            if self.of_bands() {
                let triples = self.read_bands(samples, sample)?;
                slots.iter_mut().for_each(|slot| self.evaluate_bands(&triples, slot));
                return Ok(());
            }
            let image = samples.image(sample)?;
            slots.iter_mut().for_each(|slot| self.evaluate(&image, slot));
            Ok(())
        })?;
        Ok(tensors.remove(0).into())
    }

    fn read(&self, samples: &dyn Samples, index: usize) -> Result<()> {
        match self.of_bands() {
            true => self.read_bands(samples, index).map(drop),
            false => samples.image(index).map(drop),
        }
    }

    fn lines(&self, lines: Vec<String>) -> Result<Arc<dyn Samples>> {
        Ok(Arc::new(Paths::new(lines)))
    }

    fn pictures(&self, view: &View) -> Option<Tensor> {
        matches!(self.channels, 1 | 3).then(|| self.normalize.undone(&view.input))
    }

    fn recipes(&self, samples: &dyn Samples, draw: &Draw) -> Result<Vec<Vec<Vec<String>>>> {
        let of_sample = |&sample: &usize| {
            let mut size = (1, 1);
            match self.of_bands() {
                true => {
                    let bands = samples.bands(sample, self.channels)?;
                    size = (bands.width, bands.height);
                }
                false => {
                    samples.patch(sample, &mut |width, height| {
                        size = (width, height);
                        Region::whole(1, 1)
                    })?;
                }
            }
            let of_view = |view| {
                let key = ViewKey {
                    seed: draw.seed,
                    epoch: draw.epoch,
                    sample: sample as u64,
                    view: view as u64,
                };
                self.told(size.0, size.1, key)
            };
            Ok((0..draw.views).map(of_view).collect())
        };
        draw.indices.iter().map(of_sample).collect()
    }

    fn raw(&self, view: &View) -> Option<Tensor> {
        Some(view.input.flatten(1, -1))
    }
}

mod augmented;
mod bands;
mod doubts;
mod plan;
mod range;
mod recipe;
#[cfg(test)]
mod tests;
mod written;
