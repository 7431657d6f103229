//! Pairing: the input of an objective, features with positives and a source of negatives.

use crate::{Processes, Result};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Positive pairs of features, and the source of negatives.
///
/// SimCLR gives one pairing per batch, MoCo one with a bank, MoCo v3 two (symmetrised). Every objective works with
/// every architecture and modality through it.
#[derive(Debug)]
pub struct Pairing {
    /// `[N, d]`, unit-length rows, with gradient.
    pub anchors: Tensor,
    /// `[N, d]`, unit-length rows; row `i` is the positive of anchor `i`. With gradient, or keys without.
    pub positives: Tensor,
    /// Source of negatives.
    pub negatives: Negatives,
}

impl Pairing {
    /// Gathers the pairings of all processes into one, in the order of ranks. Features of other processes have no
    /// gradient. A bank is the same in all processes.
    ///
    /// # Errors
    /// Errors of [`Processes::all_gather`].
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

/// Source of the negatives of a [`Pairing`].
#[derive(Debug)]
pub enum Negatives {
    /// Other samples of the batch: anchors and positives are two views from one network, and the objective chooses the
    /// pairs (see [`InBatch`]).
    Batch,
    /// Keys of the other pairs: the positives are keys of a momentum encoder (MoCo v3).
    Keys,
    /// Anchors, positives and hard negatives are views from one network: `[M, d]`, `M >= N`, unit-length rows with
    /// gradient. The first `N` are the positives, row `j` of them a negative of every anchor but `j`; the rest, the hard
    /// negatives, belong to no anchor (SimCSE's contradictions).
    Candidates(Tensor),
    /// A bank `[K, d]` of unit-length rows without gradient (MoCo's queue). It may be the learner's own buffer,
    /// which changes after the step.
    Bank(Tensor),
}

/// Negative pairs in a batch of two views, `i != j` throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InBatch {
    /// Pairs of anchors: `(x_i, x_j)`, as in the f-MICL paper.
    Within,
    /// Pairs of an anchor and the other view: `(x_i, y_j)`.
    Cross,
    /// Pairs of all `2N` features, each with the `2N - 2` that are neither itself nor its positive (SimCLR).
    Both,
}
