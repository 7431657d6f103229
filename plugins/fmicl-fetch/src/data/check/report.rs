//! What was found in all splits, and between them.

use super::found::Found;
use super::leaks::{Leak, Leaks, between};
use crate::data::notes;
use fmicl_core::Modality;
use serde_json::{Value, json};

/// All that was found in a dataset.
pub struct Report<'a> {
    dataset: String,
    pub modality: Modality,
    pub splits: Vec<Found<'a>>,
    pub leaks: Leaks,
    /// Bits in which hashes of what looks alike may differ.
    pub near: u32,
}

impl<'a> Report<'a> {
    /// Compares the splits with each other, and the samples of each.
    pub fn of(dataset: String, modality: Modality, mut splits: Vec<Found<'a>>, near: u32) -> Self {
        let (alike, leaks) = between(&splits, near);
        splits
            .iter_mut()
            .zip(alike)
            .for_each(|(split, alike)| split.alike = alike);
        Report {
            dataset,
            modality,
            splits,
            leaks,
            near,
        }
    }

    /// Why the dataset should not be used as it is, a line each.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for split in &self.splits {
            for (count, what) in [
                (split.unreadable.len(), "cannot be read"),
                (split.out_of_range.len(), "have labels that are no class"),
            ] {
                if count > 0 {
                    faults.push(format!(
                        "{}: {count} of {} samples {what}",
                        split.name,
                        split.seen.len()
                    ));
                }
            }
        }
        if self.leaks.same_tests > 0 {
            faults.push(format!(
                "test samples that are also trained on: {}",
                self.leaks.same_tests
            ));
        }
        faults
    }

    /// What opening the splits said of them, a line each: other folders, files that are no samples.
    pub fn notes(&self) -> Vec<String> {
        notes(self.splits.iter().map(|split| split.samples))
    }

    /// All of it.
    pub fn to_json(&self) -> Value {
        let leak = |leak: &Leak| {
            let (split, test) = (&self.splits[leak.split], &self.splits[leak.test.0]);
            json!({
                "split": split.name,
                "sample": leak.sample,
                "path": split.path(leak.sample),
                "test_sample": leak.test.1,
                "test_path": test.path(leak.test.1),
                "bits": leak.bits,
            })
        };
        json!({
            "dataset": self.dataset,
            "near_bits": self.near,
            "notes": self.notes(),
            "splits": self.splits.iter().map(|split| split.to_json(self.modality)).collect::<Vec<_>>(),
            "test_samples_in_training": self.leaks.same_tests,
            "test_samples_near_training": self.leaks.near_tests,
            // `bits` is null where both are the same to the pixel.
            "leaks": self.leaks.all.iter().map(leak).collect::<Vec<_>>(),
        })
    }
}
