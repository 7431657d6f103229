//! A classifier of frozen features, which evaluations measure.

use fmicl_core::Features;
use tch::Tensor;

/// A classifier that learns from labelled features: kNN, a linear probe.
pub trait Classifier {
    /// `pick` of the scores `[Q, C]` of the samples of `test`, a part of them at a time, one below the other: the higher a
    /// class's score, the likelier it is. All scores of a large test split would take memory.
    fn classify(&self, train: &Features, test: &Features, classes: usize, pick: &dyn Fn(&Tensor) -> Tensor) -> Tensor;

    /// The likeliest classes `[M]` of the samples of `test`.
    fn predict(&self, train: &Features, test: &Features, classes: usize) -> Tensor {
        self.classify(train, test, classes, &|scores| scores.argmax(1, false))
    }
}
