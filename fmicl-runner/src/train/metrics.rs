//! A line of `metrics.jsonl`, and of the log.

use crate::eval::Reports;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// One line of `metrics.jsonl`.
#[derive(Debug, Serialize)]
pub struct Metrics {
    /// Counted from 1.
    pub epoch: usize,
    /// Steps since the start of the run.
    pub step: u64,
    /// The learning rate of the epoch's last step.
    pub lr: f64,
    /// The epoch's mean loss.
    pub loss: f64,
    /// The epoch's means of the objective's terms; `f_mi` is the estimate of the mutual information.
    #[serde(flatten)]
    pub terms: BTreeMap<String, f64>,
    /// How the projections lie on the sphere.
    pub projections: Projections,
    /// The norm of the last step's gradients, before clipping.
    pub grad_norm: f64,
    /// Training images (not views) a second.
    pub images_per_second: f64,
    /// The share of the time in which the step waited for data, 0 to 1.
    pub waiting: f64,
    /// The share of the time in which this process was in calls to the others, 0 to 1; nothing where it is alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub communicating: Option<f64>,
    /// Steps since the start of the run that were left out since their loss or gradient was not finite.
    #[serde(skip_serializing_if = "is_zero")]
    pub skipped_steps: u64,
    /// Samples of the epoch that were left out since they could not be read.
    #[serde(skip_serializing_if = "is_none")]
    pub skipped_samples: usize,
    /// The metrics of the encoder at this moment, by evaluation and name; none where it was not evaluated.
    #[serde(serialize_with = "Reports::by_name", skip_serializing_if = "Reports::is_empty")]
    pub evaluations: Reports,
}

/// How projections lie on the sphere.
#[derive(Debug, Serialize)]
pub struct Projections {
    /// Which projections.
    pub of: &'static str,
    /// See [`alignment`](fmicl_core::geometry::alignment).
    pub alignment: f64,
    /// See [`uniformity`](fmicl_core::geometry::uniformity).
    pub uniformity: f64,
    /// See [`effective_rank`](fmicl_core::geometry::effective_rank).
    pub effective_rank: f64,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "epoch {:>4}  loss {:.4}", self.epoch, self.loss)?;
        if let Some(f_mi) = self.terms.get("f_mi") {
            write!(f, "  f-MI {f_mi:.3}")?;
        }
        write!(
            f,
            "  alignment {:.3}  uniformity {:.3}  rank {:.1}  lr {:.2e}  {:.0} samples/s",
            self.projections.alignment,
            self.projections.uniformity,
            self.projections.effective_rank,
            self.lr,
            self.images_per_second,
        )?;
        write!(f, "{}", self.evaluations.line())
    }
}
