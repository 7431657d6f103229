//! `skipped.jsonl`: the samples that could not be read, a line each.

use crate::data::Splits;
use crate::left_out::{LeftOut, Pass, Skip};
use crate::run::{Lines, RunDir};
use crate::train::callback::Callback;
use crate::train::trainer::Trainer;
use anyhow::bail;
use fmicl_core::Result;
use fmicl_data::{Batch, Unreadable};
use serde::Deserialize;
use std::rc::Rc;

/// List of samples that could not be read, in training or in an evaluation.
#[derive(Debug)]
pub struct Skipped {
    lines: Lines,
    left_out: Rc<LeftOut>,
    /// The split that is trained on.
    split: &'static str,
}

impl Skipped {
    /// The list of a run, which may be there from before.
    ///
    /// # Errors
    /// The disk's.
    pub fn of(run: &RunDir, data: &Splits) -> Result<Self> {
        let left_out = data.left_out.clone();
        let (lines, _) = Lines::open(run.path().join("skipped.jsonl"), |line| {
            let listed = Skip::deserialize(line).map(|skip| left_out.know(&skip));
            listed.is_ok()
        })?;
        let mut skipped = Skipped::unlisted(data);
        skipped.lines = lines;
        Ok(skipped)
    }

    /// No list: the samples are counted and warned of alone.
    pub fn unlisted(data: &Splits) -> Self {
        Skipped {
            lines: Lines::default(),
            left_out: data.left_out.clone(),
            split: data.pretrain_name(),
        }
    }

    /// Lists what was left out since the last time.
    ///
    /// # Errors
    /// None of the disk's: see [`Lines::add`].
    pub fn list(&mut self) -> Result<()> {
        let left_out = self.left_out.take();
        left_out.iter().try_for_each(|skip| self.lines.add(skip))
    }
}

impl Callback for Skipped {
    fn batch(&mut self, trainer: &mut Trainer, batch: &Batch) -> anyhow::Result<()> {
        self.left_out.add(Pass::Training, self.split, &batch.unreadable);
        self.list()?;
        let meter = &mut trainer.state.meter;
        meter.skip(batch.unreadable.len());
        let (count, most) = (
            meter.skipped_samples(),
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

    /// Those of an online evaluation, too.
    fn end(&mut self, _: &Trainer) -> anyhow::Result<()> {
        Ok(self.list()?)
    }
}
