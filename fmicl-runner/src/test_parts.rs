//! Parts for this crate's tests.

use fmicl_core::tch::{Tensor, nn};
use fmicl_core::{Backbone, Dataset, Encoder, Image, Result, Samples, Schedule, Split, View, register, require};
use serde::{Deserialize, Serialize};

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
