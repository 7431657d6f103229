//! Features that were computed once, which other evaluations share.

use super::LinearSgd;
use super::source::{Block, Blocks, Source, Steps};
use crate::tiles::tiles;
use fmicl_core::{Features, LabelledFeatures, Result, Rng, Split};
use tch::{Device, Kind, Tensor};

/// The features of the labelled splits.
pub struct Cached<'a>(pub &'a LabelledFeatures);

/// The rows of `from` at `indices`.
fn block(from: &Features, indices: &[usize]) -> Block {
    let rows: Vec<_> = indices.iter().map(|&index| index as i64).collect();
    let Features { values, labels } = from.select(&Tensor::from_slice(&rows).to_device(from.values.device()));
    Block {
        features: values.to_kind(Kind::Float),
        labels,
        indices: indices.to_vec(),
    }
}

impl Source for Cached<'_> {
    fn labels(&self) -> Vec<i64> {
        Vec::try_from(self.0.train.labels.to_device(Device::Cpu)).unwrap_or_default()
    }

    fn test_samples(&self) -> usize {
        self.0.test.labels.numel()
    }

    fn classes(&self) -> (usize, &[String]) {
        (self.0.classes, &self.0.class_names)
    }

    fn shuffled(&self, indices: Vec<usize>, options: &LinearSgd) -> Result<Steps<'_>> {
        let batch_size = options.batch_size.min(indices.len());
        let per_epoch = indices.len() / batch_size;
        let (train, seed) = (&self.0.train, options.seed);
        let blocks = (0..options.epochs as u64).flat_map(move |epoch| {
            // The order of the loader.
            let mut order = indices.clone();
            Rng::new(&[seed, epoch]).shuffle(&mut order);
            (0..per_epoch).map(move |number| Ok(block(train, &order[number * batch_size..][..batch_size])))
        });
        Ok(Steps {
            per_epoch,
            batch_size,
            blocks: Box::new(blocks),
        })
    }

    fn in_order(&self, split: Split, indices: Vec<usize>, options: &LinearSgd) -> Result<Blocks<'_>> {
        let from = match split {
            Split::Test => &self.0.test,
            Split::Train | Split::Pretrain => &self.0.train,
        };
        let widest = (self.0.classes * options.lr.len()).max(from.values.size()[1] as usize);
        let blocks = tiles(indices.len() as i64, widest).map(move |(start, count)| {
            let rows = &indices[start as usize..][..count as usize];
            Ok(block(from, rows))
        });
        Ok(Box::new(blocks))
    }
}
