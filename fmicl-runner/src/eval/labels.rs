//! The labelled data that evaluations were given, as they are told beside the numbers.

use crate::data::{Labelled, Splits};
use fmicl_core::{LabelledFeatures, Portion, Samples};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The labelled data of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Labels {
    /// The dataset's name.
    pub dataset: String,
    /// Labelled samples of the train split.
    pub train: usize,
    /// Samples of the test split.
    pub test: usize,
    /// Samples of the two splits that could not be read, and are not among those.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unreadable: usize,
    /// Samples of the test split whose files are in the train split, too: numbers of such samples say nothing of others.
    pub test_in_training: usize,
    /// CRC-32 of the test split's portions, in eight hexadecimal digits: [`test_crc32`]; empty in results of before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub test_crc32: String,
    /// Classes; 1 / classes is the accuracy of chance.
    pub classes: usize,
    /// Their names by number, where the dataset has some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
}

/// CRC-32 of a split's [portions](Samples::portions), by which a later command knows the same test samples again.
pub fn test_crc32(test: &dyn Samples) -> String {
    let portions = test.portions();
    let line = |portion: &Portion| format!("{:?} {} {}\n", portion.name, portion.samples, portion.crc32);
    Portion::new("", test.len(), portions.iter().map(line)).crc32
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Labels {
    /// Returns the sizes of the splits as far as their features are known; `unreadable` samples are not among them.
    pub(super) fn new(
        dataset: &str,
        data: &Splits,
        of: &Labelled,
        features: &LabelledFeatures,
        unreadable: usize,
    ) -> Self {
        Labels {
            dataset: dataset.to_string(),
            train: features.train.labels.numel(),
            test: features.test.labels.numel(),
            unreadable,
            test_in_training: data.test_in_training(),
            test_crc32: test_crc32(&*of.test),
            classes: of.train.classes(),
            class_names: features.class_names.clone(),
        }
    }

    /// `frozen features of 1437 labelled samples, none augmented, evaluated on 360 test samples, of which 12 are training samples`.
    pub fn samples(&self) -> String {
        let unreadable = match self.unreadable {
            0 => String::new(),
            count => format!(" ({count} samples of both splits could not be read)"),
        };
        let seen = match self.test_in_training {
            0 => String::new(),
            count if count >= self.test => ", all of which are training samples".into(),
            count => format!(", of which {count} are training samples"),
        };
        format!(
            "frozen features of {} labelled samples, none augmented, evaluated on {} test samples{unreadable}{seen}",
            self.train, self.test
        )
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.dataset, self.samples())
    }
}
