//! What an objective sees: pairs of features, and where the negatives come from.

use crate::{Processes, Result};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Pairs of features that belong together, and where the features that do not come from.
///
/// SimCLR gives one pairing a step, MoCo one with a bank, MoCo v3 two (symmetrised), so that every objective
/// works with every architecture and modality.
#[derive(Debug)]
pub struct Pairing {
    /// `[N, d]`, unit-length rows, with gradient.
    pub anchors: Tensor,
    /// `[N, d]`, unit-length rows; row `i` belongs to anchor `i`. With gradient, or keys without one.
    pub positives: Tensor,
    /// Where negatives come from.
    pub negatives: Negatives,
}

impl Pairing {
    /// The pairings of all processes as one, in the order of ranks: of theirs the features without gradient, this one's as
    /// they are. A bank is the same in all of them.
    ///
    /// # Errors
    /// Those of [`Processes::all_gather`].
    pub fn gather(self, processes: &dyn Processes) -> Result<Self> {
        if !processes.are_many() {
            return Ok(self);
        }
        let gather = |rows: &Tensor| -> Result<Tensor> {
            let mut all = processes.all_gather(rows)?.unbind(0);
            all[processes.rank()] = rows.shallow_clone();
            Ok(Tensor::cat(&all, 0))
        };
        let positives = gather(&self.positives)?;
        let negatives = match self.negatives {
            Negatives::Candidates(candidates) => {
                let hard = candidates.slice(0, self.positives.size()[0], None, 1);
                Negatives::Candidates(Tensor::cat(&[&positives, &gather(&hard)?], 0))
            }
            other => other,
        };
        Ok(Pairing {
            anchors: gather(&self.anchors)?,
            positives,
            negatives,
        })
    }
}

/// Where the negatives of a [`Pairing`] come from.
#[derive(Debug)]
pub enum Negatives {
    /// Anchors and positives are two views from one network; the objective chooses (see [`InBatch`]).
    Batch,
    /// The positives are keys of a momentum encoder: the keys of the other pairs (MoCo v3).
    Keys,
    /// Anchors, positives and hard negatives are views from one network: `[M, d]`, `M >= N`, unit-length rows with
    /// gradient. The first `N` are the positives, row `j` of them a negative of every anchor but `j`; the rest, the hard
    /// negatives, belong to no anchor (SimCSE's contradictions).
    Candidates(Tensor),
    /// A bank `[K, d]` of unit-length rows without gradient (MoCo's queue). It may be the learner's own buffer,
    /// which changes after the step.
    Bank(Tensor),
}

/// Which features of a batch of two views repel each other, `i != j` throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InBatch {
    /// The anchors among themselves: `(x_i, x_j)`, the form that the f-MICL paper writes.
    Within,
    /// Anchors and the other view: `(x_i, y_j)`.
    Cross,
    /// All `2N` features, each against the `2N - 2` that are neither itself nor its positive (SimCLR).
    Both,
}
