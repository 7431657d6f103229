//! A view: what is drawn for it, then its pixels.

use super::ImageViews;
use super::recipe::Step;
use crate::Normalize;
use crate::transforms::{Interleaved, Pending, Resizer, grayed, resize_and_center_crop};
use fmicl_core::{Error, Image, Op, Patch, Planes, Region, Result, Rng, Size};
use std::borrow::Cow;
use std::cell::RefCell;

/// Key of a view's randomness, which is a pure function of it: neither threads nor batches matter.
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

/// The random draws of a view.
pub struct Plan {
    /// The crop; `None` where the view is framed as in evaluation.
    frame: Option<Region>,
    /// What is done to the framed view, in order.
    ops: Vec<Op>,
    /// Which view of the sample.
    view: u64,
}

impl Plan {
    /// The part of the image, of `width` x `height`, that the view is made of.
    pub fn region(&self, width: usize, height: usize) -> Region {
        self.frame.unwrap_or(Region::whole(width, height))
    }
}

/// Memory that a thread uses for one view after another.
#[derive(Default)]
struct Scratch {
    resizer: Resizer,
    view: Planes,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl ImageViews {
    /// Draws what is random in the view that `key` stands for, of an image of `width` x `height`.
    ///
    /// # Errors
    /// [`Error::Run`] where a transform draws what the image has not, or what it did not announce.
    pub fn plan(&self, width: usize, height: usize, key: ViewKey) -> Result<Plan> {
        let recipe = self.recipes().of(key.view);
        let stream = Rng::new(&[key.seed, key.epoch, key.sample, key.view]);
        let whole = Size { width, height };
        let view = Size {
            width: self.size,
            height: self.size,
        };
        let mut plan = Plan {
            frame: None,
            ops: Vec::with_capacity(recipe.steps.len()),
            view: key.view,
        };
        for step in &recipe.steps {
            let frames = step.transform.frames();
            let size = if frames { whole } else { view };
            match step.transform.draw(size, &mut stream.child(step.word)) {
                Op::Frame(area) if frames && is_part(area, whole) => plan.frame = Some(area),
                Op::Frame(area) => return Err(step.wrong(&format!("draws the frame {area:?} of {whole:?}"))),
                _ if frames => return Err(step.wrong("draws no frame")),
                Op::Keep => (),
                op => plan.ops.push(op),
            }
        }
        Ok(plan)
    }

    /// The transforms that change the view that `key` stands for, of an image of `width` x `height`, in order, each by its key with
    /// what it draws.
    pub fn told(&self, width: usize, height: usize, key: ViewKey) -> Vec<String> {
        let stream = Rng::new(&[key.seed, key.epoch, key.sample, key.view]);
        let side = self.size;
        let told = |step: &Step| {
            let (width, height) = if step.transform.frames() {
                (width, height)
            } else {
                (side, side)
            };
            let size = Size { width, height };
            let drawn = step.transform.drawn(size, &mut stream.child(step.word))?;
            Some(format!("{} {drawn}", step.key).trim_end().to_string())
        };
        self.recipes().of(key.view).steps.iter().filter_map(told).collect()
    }

    /// Writes the planned view to `out`, [`numel`](ImageViews::numel) normalised floats in the order channel, row, column.
    /// `patch` holds what [`Plan::region`] asks for.
    ///
    /// # Errors
    /// [`Error::Run`] where a transform changes the size of the view.
    pub fn draw(&self, patch: &Patch, plan: &Plan, out: &mut [f32]) -> Result<()> {
        self.draw_on(&self.colored(patch), plan, &self.normalize, out)
    }

    /// As [`draw`](ImageViews::draw), of an image in the colours of the views; as many channels as are normalised.
    pub(super) fn draw_on(&self, patch: &Patch, plan: &Plan, normalize: &Normalize, out: &mut [f32]) -> Result<()> {
        SCRATCH.with_borrow_mut(|Scratch { resizer, view }| {
            let mut ops = plan.ops.iter().peekable();
            match plan.frame {
                Some(area) => {
                    view.reshape(self.size, self.size);
                    // The resize mirrors at no cost.
                    let mirrored = ops.next_if(|op| matches!(op, Op::Mirror)).is_some();
                    resizer.resize(Interleaved::new(patch, area), mirrored, view);
                }
                None => *view = self.frame(patch),
            }
            let mut view = Pending::new(view);
            for op in ops {
                match op {
                    Op::Pixels(steps) => steps.iter().for_each(|step| view.push(step)),
                    Op::Mirror => view.mirror(),
                    Op::Whole(change) => {
                        let image = view.finish();
                        change(image);
                        let numel = 3 * self.size * self.size;
                        if (image.width, image.height, image.data.len()) != (self.size, self.size, numel) {
                            let Plan { view, .. } = plan;
                            let message = format!("a transform of view {view} changes its size");
                            return Err(Error::Run(message));
                        }
                        view = Pending::new(image);
                    }
                    // Planned apart.
                    Op::Keep | Op::Frame(_) => (),
                }
            }
            view.normalize(normalize, out);
            Ok(())
        })
    }

    /// Plans and draws the view of `image` that `key` stands for.
    ///
    /// # Errors
    /// As [`plan`](ImageViews::plan) and [`draw`](ImageViews::draw).
    pub fn render(&self, image: &Image, key: ViewKey, out: &mut [f32]) -> Result<()> {
        self.draw(&image.into(), &self.plan(image.width, image.height, key)?, out)
    }

    /// Writes the view for evaluation to `out`, as [`render`](ImageViews::render) does: the shorter side resized, the
    /// centre cropped, normalised.
    pub fn evaluate(&self, image: &Image, out: &mut [f32]) {
        let image = Patch::from(image);
        self.normalize.apply(&self.frame(&self.colored(&image)), out);
    }

    /// The image in the colours of the views: as it is, or gray.
    fn colored<'a>(&self, patch: &'a Patch<'a>) -> Cow<'a, Patch<'a>> {
        match self.channels {
            1 => Cow::Owned(grayed(patch)),
            _ => Cow::Borrowed(patch),
        }
    }

    /// The view before it is normalised, as in evaluation; of a whole image.
    pub(super) fn frame(&self, image: &Patch) -> Planes {
        resize_and_center_crop(image, self.resized(), self.size)
    }
}

fn is_part(area: Region, of: Size) -> bool {
    let inside = area.left + area.width <= of.width && area.top + area.height <= of.height;
    inside && area.width >= 1 && area.height >= 1
}
