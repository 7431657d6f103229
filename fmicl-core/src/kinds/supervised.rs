//! Training with labels: the labelled samples in batches, the encoder as it is, and copies of it that can be trained.

use crate::{Encoder, Result, Samples, Split, View};
use std::sync::Arc;
use tch::{Tensor, nn};

/// An encoder and labelled samples, for an evaluation that [trains](crate::Evaluation::trains) with labels. The encoder itself
/// never changes.
pub trait Supervised {
    /// The labelled splits, sample by sample.
    fn samples(&self) -> &LabelledSamples;

    /// Random batches of training samples, made in the background. A pure function of `which`, whatever the threads.
    ///
    /// # Errors
    /// [`crate::Error::Config`] where the views have no such augmentation, or fewer than two samples are chosen. An item is an error
    /// where a sample cannot be read and may not be left out; it is the last one.
    fn shuffled(&self, which: &Shuffled) -> Result<Batches<'_>>;

    /// The samples of the training or the test split at `indices`, in evaluation form: some at a time, each once.
    ///
    /// # Errors
    /// As [`shuffled`](Supervised::shuffled); none of them that can be read.
    fn in_order(&self, split: Split, indices: Vec<usize>) -> Result<Batches<'_>>;

    /// Features `[N, d]` of a view, f32, on its device, without gradient: those of the encoder as it is.
    fn features(&self, view: &View) -> Tensor;

    /// A copy of the encoder with weights of its own.
    ///
    /// # Errors
    /// [`crate::Error::Run`] where there is no encoder: raw samples have no weights.
    fn trainable(&self) -> Result<Trainable>;
}

/// The labelled splits of a dataset, sample by sample.
#[derive(Clone)]
pub struct LabelledSamples {
    /// Labelled training samples.
    pub train: Arc<dyn Samples>,
    /// Test samples.
    pub test: Arc<dyn Samples>,
    /// The number of classes, at least 2.
    pub classes: usize,
    /// Names of the classes by number; empty if the dataset has none.
    pub class_names: Vec<String>,
}

/// A random crop that is resized to the view's size, and a horizontal flip: torchvision's `RandomResizedCrop(size, scale)` and
/// `RandomHorizontalFlip(flip)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropAndFlip {
    /// The least and the greatest part of the image's area that is kept, in (0, 1]; `None` frames the image as in evaluation.
    pub crop: Option<[f64; 2]>,
    /// The probability that the view is mirrored, from 0 to 1.
    pub flip: f64,
}

/// Which random batches of training samples.
#[derive(Debug, Clone)]
pub struct Shuffled {
    /// Indices of the samples in the training split, at least 2.
    pub indices: Vec<usize>,
    /// Samples of a batch, or all of them where they are fewer. A last batch that is not full is left out until the next shuffle.
    pub batch_size: usize,
    /// Passes over the samples, each in another order.
    pub epochs: usize,
    /// Seed of orders and views.
    pub seed: u64,
    /// How views are made.
    pub augmentation: CropAndFlip,
}

/// Batches, of which those of one epoch come after the other.
pub struct Batches<'a> {
    /// The number of batches in an epoch, at least 1.
    pub per_epoch: usize,
    /// Samples of a full batch.
    pub batch_size: usize,
    /// The batches.
    pub items: Box<dyn Iterator<Item = Result<LabelledBatch>> + 'a>,
}

/// A batch of labelled samples that could be read, on the device that computes.
#[derive(Debug)]
pub struct LabelledBatch {
    /// Indices of the samples in their split, `N`.
    pub indices: Vec<usize>,
    /// A view of `N` samples.
    pub view: View,
    /// `[N]`, i64, each below the number of classes.
    pub labels: Tensor,
}

/// A copy of an encoder, to be trained.
#[derive(Debug)]
pub struct Trainable {
    /// Its weights and buffers, named as in torchvision or timm.
    pub store: nn::VarStore,
    /// The encoder, whose variables are those of `store`.
    pub encoder: Box<dyn Encoder>,
    /// Metadata for a file of its weights ([`crate::weights::write_about`]); empty if there are none.
    pub about: String,
}
