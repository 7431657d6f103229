//! The section `[eval]`.

use super::{at_least_one, failed};
use fmicl_core::{Documented, Error, Result, require};
use serde::{Deserialize, Serialize};

/// Evaluation of the frozen encoder.
#[derive(Debug, Clone, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Eval {
    /// Epochs from one evaluation to the next; 0, the default, is only at the end.
    pub every: usize,
    /// Images that are encoded at a time, at least 1; 256 by default.
    pub batch_size: usize,
    /// Holds the features of the labelled splits as f16, in half the memory; false by default. Evaluations still compute in f32.
    pub half: bool,
    /// The most labelled training samples that evaluations use, at least 1, spread evenly over all of them,
    /// which are the default: they take memory for the features of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_samples: Option<usize>,
    /// Share of the time, above 0 and at most 1, that evaluations in training may take: one that is due by `every` is left out
    /// while the next one would take more. Which ones are left out depends on the clock, and so may the best checkpoint; a resumed run
    /// counts anew. Absent by default: none is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// The most labelled training samples that evaluations in training use, as `train_samples`; the same as that by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online_samples: Option<usize>,
    /// The metric by which checkpoints are compared, such as `knn.balanced`; by default the main one of the first evaluation. Only
    /// with `every` above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<String>,
}

impl Default for Eval {
    fn default() -> Self {
        Eval {
            every: 0,
            batch_size: 256,
            half: false,
            train_samples: None,
            share: None,
            online_samples: None,
            best: None,
        }
    }
}

impl Eval {
    pub(super) fn validate(&self) -> Vec<Error> {
        failed([
            at_least_one(self.batch_size, "batch_size"),
            at_least_one(self.train_samples.unwrap_or(1), "train_samples"),
            at_least_one(self.online_samples.unwrap_or(1), "online_samples"),
            require(
                self.share.is_none_or(|share| share > 0.0 && share <= 1.0),
                "share",
                || format!("{} is not above 0 and at most 1", self.share.unwrap_or_default()),
            ),
            self.in_training(self.best.is_some(), "best"),
            self.in_training(self.share.is_some(), "share"),
            self.in_training(self.online_samples.is_some(), "online_samples"),
        ])
    }

    fn in_training(&self, is_given: bool, key: &str) -> Result<()> {
        require(!is_given || self.every > 0, key, || {
            "has no effect without evaluations in training: set eval.every as well".into()
        })
    }
}
