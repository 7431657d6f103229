//! `subset`: a part of another dataset's training samples, for runs that fit a laptop.

use super::chosen::Chosen;
use fmicl_core::{Dataset, Documented, Modality, Part, Reads, Result, Samples, Source, Split, register, require};
use serde::{Deserialize, Serialize};

/// `train` training samples of `of`, evenly spread over it; the test split is left whole.
///
/// ```toml
/// dataset = { name = "subset", train = 5000, of = { name = "cifar10", root = "data" } }
/// ```
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subset {
    /// The whole dataset. Required.
    pub of: Part<dyn Dataset>,
    /// Number of samples to keep for pre-training and of the labelled training samples, at least 1. They are spread
    /// evenly rather than the first ones, so that a dataset sorted by class keeps all of its classes. Required.
    pub train: usize,
}

register!(Dataset, "subset", Subset, "so many training samples of another dataset");

impl Dataset for Subset {
    fn validate(&self) -> Result<()> {
        require(self.train >= 1, "train", || {
            "0 samples are not a dataset; use at least 1".into()
        })
    }

    fn source(&self) -> Source {
        self.of.source()
    }

    fn reads(&self) -> Vec<Reads> {
        self.of.reads().into_iter().map(|reads| reads.within("of")).collect()
    }

    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let whole = self.of.open(split)?;
        if split == Split::Test {
            return Ok(whole);
        }
        require(self.train <= whole.len(), "train", || {
            format!(
                "{} is more than the {} samples of `{}`",
                self.train,
                whole.len(),
                self.of.name()
            )
        })?;
        Ok(Box::new(Chosen::spread(self.train, whole.into())))
    }

    fn has_unlabelled(&self) -> bool {
        self.of.has_unlabelled()
    }

    fn is_labelled(&self) -> bool {
        self.of.is_labelled()
    }

    fn modality(&self) -> Modality {
        self.of.modality()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subset(train: usize) -> Subset {
        Subset {
            of: Part::new("digits", Default::default()).unwrap(),
            train,
        }
    }

    #[test]
    fn training_images_are_spread_and_the_test_split_is_whole() {
        let samples = subset(479).open(Split::Train).unwrap();
        fmicl_core::testing::check_dataset(&*samples);
        let whole = subset(1).of.open(Split::Train).unwrap();
        assert_eq!(samples.len(), 479);
        // 1437 = 3 * 479
        assert_eq!(
            (samples.image(2).unwrap(), samples.label(478)),
            (whole.image(6).unwrap(), whole.label(1434))
        );
        assert_eq!(subset(10).open(Split::Test).unwrap().len(), 360);
    }

    #[test]
    fn more_than_there_is_is_an_error() {
        let error = subset(2000).open(Split::Pretrain).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error, "train: 2000 is more than the 1437 samples of `digits`");
        assert!(subset(0).validate().is_err());
    }
}
