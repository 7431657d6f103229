//! The section `[eval]`.

use super::{at_least_one, failed};
use fmicl_core::{Documented, Error, require};
use serde::{Deserialize, Serialize};

/// Evaluation of the frozen encoder.
#[derive(Debug, Clone, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Eval {
    /// Epochs from one evaluation to the next; 0, the default, is only at the end.
    pub every: usize,
    /// Images that are encoded at a time, at least 1; 256 by default.
    pub batch_size: usize,
    /// The most labelled training samples that evaluations use, at least 1, spread evenly over all of them,
    /// which are the default: they take memory for the features of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_samples: Option<usize>,
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
            train_samples: None,
            best: None,
        }
    }
}

impl Eval {
    pub(super) fn validate(&self) -> Vec<Error> {
        failed([
            at_least_one(self.batch_size, "batch_size"),
            at_least_one(self.train_samples.unwrap_or(1), "train_samples"),
            require(self.best.is_none() || self.every > 0, "best", || {
                "has no effect without evaluations in training: set eval.every as well".into()
            }),
        ])
    }
}
