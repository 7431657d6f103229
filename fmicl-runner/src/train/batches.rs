//! The batches that are still to come.

use super::setup::open_loader;
use crate::config::Experiment;
use crate::left_out::with_a_way_out;
use crate::run::Standing;
use anyhow::bail;
use fmicl_core::{Processes, Result, Samples};
use fmicl_data::{Batch, Loader, Prefetch};
use std::sync::Arc;

/// The batches of a run, which threads read ahead, through the ends of epochs.
pub struct Batches {
    loader: Loader,
    /// Batches of an epoch that are used: whole steps.
    used: usize,
    /// Epochs of the run.
    epochs: usize,
    /// Those to come, once training has begun.
    ahead: Option<Prefetch<Batch>>,
}

impl Batches {
    /// This process's part of an experiment's batches, of as many views of a sample.
    ///
    /// # Errors
    /// A dataset, batch size and accumulation that do not make one step, or cannot be shared by that many processes.
    pub fn new(
        experiment: &Experiment,
        samples: Arc<dyn Samples>,
        views: usize,
        processes: &dyn Processes,
    ) -> Result<Self> {
        let (loader, steps) = open_loader(experiment, samples, views)?;
        let loader = loader.share(processes.rank(), processes.size());
        Ok(Batches {
            loader: loader.map_err(|error| error.at("train"))?,
            used: steps * experiment.train.accumulate,
            epochs: experiment.train.epochs,
            ahead: None,
        })
    }

    /// Batches of an epoch that are used.
    pub fn used(&self) -> usize {
        self.used
    }

    /// The next one; the first is the one at which a run stands.
    ///
    /// # Errors
    /// A sample that cannot be read.
    pub fn next(&mut self, standing: &Standing) -> anyhow::Result<Batch> {
        let ahead = match &mut self.ahead {
            Some(ahead) => ahead,
            None => {
                let epochs = standing.epochs as u64..self.epochs as u64;
                let ahead = self.loader.epochs(epochs, self.used, standing.batch)?;
                self.ahead.insert(ahead)
            }
        };
        match ahead.next() {
            Some(batch) => Ok(batch.map_err(with_a_way_out)?),
            None => bail!("epoch {} had no more batches", standing.epochs + 1),
        }
    }
}
