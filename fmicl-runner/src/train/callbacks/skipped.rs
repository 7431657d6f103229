//! `skipped.jsonl`: the samples that could not be read, a line each.

use crate::run::Lines;
use crate::train::callback::Callback;
use crate::train::trainer::Trainer;
use anyhow::bail;
use fmicl_core::Result;
use fmicl_data::{Batch, Unreadable};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The list of samples that could not be read; by default there is no file, and they are forgotten.
#[derive(Debug, Default)]
pub struct Skipped {
    lines: Lines,
    listed: BTreeSet<usize>,
}

impl Skipped {
    /// The list in a file, which may be there from before.
    ///
    /// # Errors
    /// The disk's.
    pub fn at(path: PathBuf) -> Result<Self> {
        let mut listed = BTreeSet::new();
        let (lines, _) = Lines::open(path, |line| match Unreadable::deserialize(line) {
            Ok(unreadable) => {
                listed.insert(unreadable.sample);
                true
            }
            Err(_) => false,
        })?;
        Ok(Skipped { lines, listed })
    }

    /// Lists samples, each once, and warns of them.
    ///
    /// # Errors
    /// None of the disk's: see [`Lines::add`].
    pub fn note(&mut self, unreadable: &[Unreadable]) -> Result<()> {
        for sample in unreadable {
            if self.listed.insert(sample.sample) {
                tracing::warn!("sample {} is left out: {}", sample.sample, sample.error);
                self.lines.add(sample)?;
            }
        }
        Ok(())
    }
}

impl Callback for Skipped {
    fn batch(&mut self, trainer: &mut Trainer, batch: &Batch) -> anyhow::Result<()> {
        self.note(&batch.unreadable)?;
        let epoch = &mut trainer.state.epoch;
        epoch.skip(batch.unreadable.len());
        let (count, most) = (
            epoch.skipped_samples(),
            trainer.plan.experiment.train.max_skipped_samples,
        );
        match batch.unreadable.last() {
            Some(Unreadable { error, .. }) if count > most => bail!(
                "{count} samples of epoch {} cannot be read, and train.max_skipped_samples is {most}; the last: {error}",
                trainer.state.standing.epochs + 1
            ),
            _ => Ok(()),
        }
    }
}
