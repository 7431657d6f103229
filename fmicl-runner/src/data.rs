//! The splits of the experiment's dataset.

use crate::config::Experiment;
use fmicl_core::{Result, Samples, Split};
use std::sync::Arc;

/// The splits of a dataset, opened and checked.
pub struct Splits {
    /// What pre-training sees, without labels.
    pub pretrain: Arc<dyn Samples>,
    /// The labelled images of kNN and the linear probe.
    pub train: Arc<dyn Samples>,
    /// The images that accuracy is measured on.
    pub test: Arc<dyn Samples>,
}

impl Splits {
    /// Opens every split.
    ///
    /// # Errors
    /// What is wrong with the first split that does not open.
    pub fn open(experiment: &Experiment) -> Result<Self> {
        let open = |split| match experiment.dataset.open(split) {
            Ok(samples) => Ok(samples.into()),
            Err(error) => Err(error.at("dataset")),
        };
        Ok(Splits {
            pretrain: open(Split::Pretrain)?,
            train: open(Split::Train)?,
            test: open(Split::Test)?,
        })
    }
}
