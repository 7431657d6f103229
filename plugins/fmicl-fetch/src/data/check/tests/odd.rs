//! Samples in memory in which something is wrong.

use super::*;
use fmicl_core::register;
use fmicl_data::datasets::LeaveOut;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Texts, or gray pixels whose labels are no classes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Odd {
    texts: Vec<String>,
}

register!(Dataset, "odd", Odd, "what is wrong in memory, for tests");

impl Dataset for Odd {
    fn open(&self, _: Split) -> Result<Box<dyn Samples>> {
        Ok(Box::new(OddSamples(self.texts.clone())))
    }

    fn modality(&self) -> Modality {
        match self.texts.is_empty() {
            true => Modality::Images,
            false => Modality::Texts,
        }
    }
}

struct OddSamples(Vec<String>);

impl Samples for OddSamples {
    fn len(&self) -> usize {
        self.0.len().max(3)
    }

    fn classes(&self) -> usize {
        if self.0.is_empty() { 2 } else { 0 }
    }

    fn label(&self, index: usize) -> usize {
        if self.0.is_empty() { index } else { 0 }
    }

    fn image(&self, index: usize) -> Result<fmicl_core::Image> {
        Ok(fmicl_core::Image::from_gray(1, 1, &[index as u8]))
    }

    fn texts(&self, index: usize) -> Result<Vec<Cow<'_, str>>> {
        Ok(vec![(&self.0[index]).into()])
    }
}

#[test]
fn texts_that_are_empty_or_the_same_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = load(
        "odd",
        &["texts=[\"a dog\", \"é\", \" a dog \", \"  \", \"a cat\"]".into()],
    )
    .unwrap();
    let list = folder.path().join("list.csv");
    let with_list = Options {
        list: Some(list.clone()),
        ..options()
    };
    let (said, result) = checked(&dataset, &with_list);
    assert_eq!(result, Ok(()));
    for line in [
        "same as another     1",
        "characters          1 to 7, median 5",
        "with an empty text  1",
        "  pretrain 0 = pretrain 2",
    ] {
        assert!(says(&said, line), "{line}: {said}");
    }
    let list = std::fs::read_to_string(list).unwrap();
    let made_of = LeaveOut::made_of("pretrain", &*dataset.open(Split::Pretrain).unwrap());
    assert_eq!(
        list,
        format!(
            "split,sample,path,why\n{made_of}\npretrain,2,,is the same as pretrain 0\npretrain,3,,has an empty text\n"
        )
    );
}

#[test]
fn labels_that_are_no_class_are_a_fault() {
    let (said, result) = checked(&load("odd", &[]).unwrap(), &options());
    let fault = "train: 1 of 3 samples have labels that are no class; test: 1 of 3 samples have labels that are no class; test samples that are also trained on: 3";
    assert_eq!(result.unwrap_err(), fault, "{said}");
}

#[test]
fn bits_with_which_comparing_would_not_end_are_refused() {
    let many = |count| Open {
        name: "train",
        split: Split::Train,
        samples: Box::new(OddSamples(vec![String::new(); count])),
    };
    let refused = |bits, modality| require_few_bits(bits, modality, &[many(7_000_000), many(7_000_000)]);
    let error = refused(4, Modality::Images).unwrap_err().to_string();
    let expected = "--near: 4 bits would compare nearly all of 14000000 images with each other; at most 3 find theirs within minutes";
    assert_eq!(error, expected);
    assert!(refused(3, Modality::Images).is_ok() && refused(7, Modality::Texts).is_ok());
}
