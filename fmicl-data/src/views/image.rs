//! From an image to a normalised view.

use super::lines::Paths;
use super::render::render_all;
use crate::transforms::{Adjust, Blur, Blurrer, Crop, Interleaved, Jitter, Normalize, Pending, Resizer};
use crate::transforms::{horizontal_flip, resize_and_center_crop};
use crate::{Planes, Rng, Switch};
use fmicl_core::{Draw, Image, Input, Modality, Patch, Region, Result, Samples, Stop, View, Views, register, require};
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
        Ok(Arc::new(Paths::new(lines)?))
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
                blurrer.blur(sharp, blur.kernel, sigma);
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

#[cfg(test)]
mod tests {
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
                    kernel: 3,
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
            kernel: 5,
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
                    kernel: 3,
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
            "crop: invalid type: whole number `3`, expected true, false or a table of options"
        );
        let nested = error("blur = { sigmas = 3 }");
        assert!(
            nested.starts_with("blur.sigmas: unknown key (did you mean `sigma`?)"),
            "{nested}"
        );
        let kernel = "blur.kernel: 23 is too large for views of 8 pixels; at most 15 would work";
        assert_eq!(error("size = 8\nblur = true"), kernel);
        assert_eq!(
            error("eval_resize = 16"),
            "eval_resize: 16 is not from the view's size, 32, to 8192 pixels"
        );
    }
}
