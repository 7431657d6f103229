//! The labelled splits of a dataset.

use fmicl_core::{LabelledSamples, Samples, Sizes};
use std::sync::Arc;

/// The labelled splits of a dataset.
pub struct Labelled {
    /// Labelled training split, which probes are fitted to.
    pub train: Arc<dyn Samples>,
    /// Test split, on which accuracy is measured.
    pub test: Arc<dyn Samples>,
}

/// Most class names listed in a warning.
const MOST_NAMED: usize = 5;

impl Labelled {
    /// Returns the numbers of samples and classes.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            train: self.train.len(),
            test: self.test.len(),
            classes: self.train.classes(),
        }
    }

    /// Returns the splits as evaluations see them.
    pub fn samples(&self) -> LabelledSamples {
        LabelledSamples {
            train: self.train.clone(),
            test: self.test.clone(),
            classes: self.train.classes(),
            class_names: self.train.class_names(),
        }
    }

    /// Returns a warning for the classes without test samples, and one for those without training samples.
    pub(super) fn classes_apart(&self) -> Vec<String> {
        let counts = |samples: &dyn Samples| {
            let mut counts = vec![0usize; self.train.classes()];
            (0..samples.len()).for_each(|index| {
                if let Some(count) = counts.get_mut(samples.label(index)) {
                    *count += 1;
                }
            });
            counts
        };
        let (train, test) = (counts(&*self.train), counts(&*self.test));
        let names = self.train.class_names();
        let name = |class: usize| names.get(class).map_or(class.to_string(), |name| format!("`{name}`"));
        let line = |own: &[usize], other: &[usize], which: &str, but: &str| {
            let apart = (0..own.len()).filter(|&class| own[class] == 0 && other[class] > 0);
            let apart: Vec<_> = apart.map(name).collect();
            let shown = apart.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
            let more = if apart.len() > MOST_NAMED { ", ..." } else { "" };
            let (count, of) = (apart.len(), own.len());
            (count > 0)
                .then(|| format!("the {which} has no sample of {count} of the {of} classes: {shown}{more}; {but}"))
        };
        let untested = line(&test, &train, "test split", "accuracies do not cover them");
        let unlabelled = line(
            &train,
            &test,
            "labelled training split",
            "their test samples are never classified correctly",
        );
        untested.into_iter().chain(unlabelled).collect()
    }
}

/// Returns true if a split has at least two classes. With one class every accuracy is 100 %.
pub fn has_labels(train: &dyn Samples) -> bool {
    train.classes() >= 2
}
