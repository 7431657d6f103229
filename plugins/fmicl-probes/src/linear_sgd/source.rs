//! Features to train linear layers on, wherever they come from.

use super::LinearSgd;
use fmicl_core::{Result, Split};
use tch::Tensor;

/// The features of labelled samples, batch by batch.
pub trait Source {
    /// The labels of the training samples.
    fn labels(&self) -> Vec<i64>;

    /// The number of test samples.
    fn test_samples(&self) -> usize;

    /// The number of classes, and their names if they have some.
    fn classes(&self) -> (usize, &[String]);

    /// Random batches of the training samples at `indices`.
    fn shuffled(&self, indices: Vec<usize>, options: &LinearSgd) -> Result<Steps<'_>>;

    /// The samples of a split at `indices`, in evaluation form.
    fn in_order(&self, split: Split, indices: Vec<usize>, options: &LinearSgd) -> Result<Blocks<'_>>;
}

/// Features `[B, d]`, labels `[B]`, and indices in their split.
pub struct Block {
    pub features: Tensor,
    pub labels: Tensor,
    pub indices: Vec<usize>,
}

pub type Blocks<'a> = Box<dyn Iterator<Item = Result<Block>> + 'a>;

/// Batches to train on.
pub struct Steps<'a> {
    pub per_epoch: usize,
    pub batch_size: usize,
    pub blocks: Blocks<'a>,
}
