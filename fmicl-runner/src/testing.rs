//! A dataset for this crate's tests.

use fmicl_core::{Dataset, Image, Result, Samples, Split, register, require};
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
