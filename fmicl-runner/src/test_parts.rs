//! Parts for this crate's tests.

use fmicl_core::tch::{Tensor, nn};
use fmicl_core::{
    Backbone, Dataset, Encoder, Image, MetricValues, Moment, Result, Samples, Schedule, Split, TrackedRun, Tracker,
    Tracking, View, register, require,
};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// `count` gray images of `size` pixels in two classes; the test split has none if `broken`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Gray {
    count: usize,
    size: usize,
    broken: bool,
}

register!(Dataset, "gray", Gray, "gray images, for tests");

impl Default for Gray {
    fn default() -> Self {
        Gray {
            count: 16,
            size: 8,
            broken: false,
        }
    }
}

impl Dataset for Gray {
    fn validate(&self) -> Result<()> {
        require(self.count >= 1, "count", || "0 is not at least 1".into())
    }

    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        if self.broken && split == Split::Test {
            return Err(fmicl_core::Error::data("gray/test", "the file is empty"));
        }
        Ok(Box::new(self.clone()))
    }
}

impl Samples for Gray {
    fn len(&self) -> usize {
        self.count
    }

    fn classes(&self) -> usize {
        2
    }

    fn image(&self, index: usize) -> Result<Image> {
        Ok(Image::from_gray(
            self.size,
            self.size,
            &vec![(index * 7 % 256) as u8; self.size * self.size],
        ))
    }

    fn label(&self, index: usize) -> usize {
        index % 2
    }
}

/// A backbone that libtorch refuses to run on images below 16 pixels.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Needs16Pixels {}

register!(Backbone, "needs-16-pixels", Needs16Pixels, "a large kernel, for tests");

impl Backbone for Needs16Pixels {
    fn build(&self, path: &nn::Path) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(OneKernel(nn::conv2d(path, 3, 4, 16, Default::default()))))
    }
}

#[derive(Debug)]
struct OneKernel(nn::Conv2D);

impl Encoder for OneKernel {
    fn forward(&self, view: &View, _train: bool) -> Tensor {
        view.input.apply(&self.0).amax([2i64, 3].as_slice(), false)
    }

    fn width(&self) -> i64 {
        4
    }
}

/// A backbone that no machine has the memory for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TooLarge {}

register!(Backbone, "too-large", TooLarge, "4 PiB of weights, for tests");

impl Backbone for TooLarge {
    fn build(&self, path: &nn::Path) -> Result<Box<dyn Encoder>> {
        let _ = path.zeros("weight", &[1 << 50]);
        Ok(Box::new(OneKernel(nn::conv2d(path, 3, 4, 16, Default::default()))))
    }
}

/// Never changes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Flat {}

register!(Schedule, "flat", Flat, "always 1, for tests");

impl Schedule for Flat {
    fn factor(&self, _: f64) -> f64 {
        1.0
    }
}

thread_local! {
    /// What trackers `shown` got in this thread: the epoch, the name and the values.
    pub static SHOWN: RefCell<Vec<(usize, String, Option<Tensor>)>> = const { RefCell::new(Vec::new()) };
}

/// Remembers what it is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Shown {
    tensors: bool,
}

register!(Tracker, "shown", Shown, "remembers all, for tests");
register!(Tracker, "shown-too", Shown, "the same beside it");

impl Default for Shown {
    fn default() -> Self {
        Shown { tensors: true }
    }
}

impl Shown {
    fn add(&self, at: Moment, name: &str, values: Option<&Tensor>) -> Result<()> {
        let values = values.map(Tensor::copy);
        SHOWN.with_borrow_mut(|shown| shown.push((at.epoch, name.into(), values)));
        Ok(())
    }
}

impl Tracker for Shown {
    fn open(&self, _: &TrackedRun) -> Result<Box<dyn Tracking>> {
        Ok(Box::new(self.clone()))
    }
}

impl Tracking for Shown {
    fn step(&mut self, _: Moment, _: &MetricValues) -> Result<()> {
        Ok(())
    }

    fn epoch(&mut self, at: Moment, _: &MetricValues) -> Result<()> {
        self.add(at, "epoch", None)
    }

    fn wants_tensors(&self) -> bool {
        self.tensors
    }

    fn image(&mut self, at: Moment, name: &str, pixels: &Tensor) -> Result<()> {
        self.add(at, name, Some(pixels))
    }

    fn histogram(&mut self, at: Moment, name: &str, values: &Tensor) -> Result<()> {
        self.add(at, name, Some(values))
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
