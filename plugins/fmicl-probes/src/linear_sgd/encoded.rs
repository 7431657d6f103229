//! Samples that the frozen encoder encodes anew in each epoch, with another crop.

use super::LinearSgd;
use super::source::{Block, Blocks, Source, Steps};
use crate::augment::augmentation;
use fmicl_core::{Batches, LabelledBatch, Result, Shuffled, Split, Supervised};

/// The labelled samples and the encoder.
pub struct Encoded<'a>(pub &'a dyn Supervised);

impl Encoded<'_> {
    fn encode<'a>(&'a self, items: impl Iterator<Item = Result<LabelledBatch>> + 'a) -> Blocks<'a> {
        Box::new(items.map(|batch| {
            let LabelledBatch { indices, view, labels } = batch?;
            Ok(Block {
                features: self.0.features(&view),
                labels,
                indices,
            })
        }))
    }
}

impl Source for Encoded<'_> {
    fn labels(&self) -> Vec<i64> {
        let train = &self.0.samples().train;
        (0..train.len()).map(|index| train.label(index) as i64).collect()
    }

    fn test_samples(&self) -> usize {
        self.0.samples().test.len()
    }

    fn classes(&self) -> (usize, &[String]) {
        (self.0.samples().classes, &self.0.samples().class_names)
    }

    fn shuffled(&self, indices: Vec<usize>, options: &LinearSgd) -> Result<Steps<'_>> {
        let Batches {
            per_epoch,
            batch_size,
            items,
        } = self.0.shuffled(&Shuffled {
            indices,
            batch_size: options.batch_size,
            epochs: options.epochs,
            seed: options.seed,
            augmentation: augmentation(options.augment, options.crop, options.flip),
        })?;
        Ok(Steps {
            per_epoch,
            batch_size,
            blocks: self.encode(items),
        })
    }

    fn in_order(&self, split: Split, indices: Vec<usize>, _options: &LinearSgd) -> Result<Blocks<'_>> {
        Ok(self.encode(self.0.in_order(split, indices)?.items))
    }
}
