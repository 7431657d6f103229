//! The section `[eval]`.

use super::{at_least_one, failed, not_negative, positive};
use fmicl_core::Error;
use serde::{Deserialize, Serialize};

/// How the frozen encoder is judged.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Eval {
    /// Epochs from one evaluation to the next; 0, the default, is only at the end.
    pub every: usize,
    /// Images that are encoded at a time, at least 1; 256 by default.
    pub batch_size: usize,
    /// The most labelled training samples that kNN and the linear probe use, at least 1, spread evenly over all of them,
    /// which are the default: they take memory for the features of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_samples: Option<usize>,
    /// The weighted vote of the nearest neighbours.
    pub knn: Knn,
    /// The linear probe.
    pub linear: Linear,
}

/// The weighted vote of the nearest training images (Wu et al., CVPR 2018, arXiv 1805.01978).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knn {
    /// Neighbours that vote, at least 1 and at most the labelled training samples; 200 by default, or all where there
    /// are fewer.
    pub k: usize,
    /// A neighbour's vote is `exp(cosine / temperature)`; above 0, 0.1 by default.
    pub temperature: f64,
}

/// Multinomial logistic regression on the features.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Linear {
    /// The weight of half the squared norm of the weights beside the mean loss, 0 or above; 1e-4 by default.
    pub l2: f64,
    /// The most iterations, at least 1; 200 by default.
    pub max_iter: usize,
}

impl Default for Eval {
    fn default() -> Self {
        Eval {
            every: 0,
            batch_size: 256,
            train_samples: None,
            knn: Knn::default(),
            linear: Linear::default(),
        }
    }
}

impl Default for Knn {
    fn default() -> Self {
        Knn {
            k: 200,
            temperature: 0.1,
        }
    }
}

impl Default for Linear {
    fn default() -> Self {
        Linear {
            l2: 1e-4,
            max_iter: 200,
        }
    }
}

impl Eval {
    pub(super) fn validate(&self) -> Vec<Error> {
        failed([
            at_least_one(self.batch_size, "batch_size"),
            at_least_one(self.train_samples.unwrap_or(1), "train_samples"),
            at_least_one(self.knn.k, "knn.k"),
            positive(self.knn.temperature, "knn.temperature"),
            not_negative(self.linear.l2, "linear.l2"),
            at_least_one(self.linear.max_iter, "linear.max_iter"),
        ])
    }
}
