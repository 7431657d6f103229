//! The splits of the experiment's dataset.

use crate::config::Experiment;
use fmicl_core::{Result, Samples, Split};
use std::sync::Arc;

/// The splits of a dataset, opened and checked.
pub struct Splits {
    /// What pre-training sees, without labels; often `train` itself.
    pub pretrain: Arc<dyn Samples>,
    /// The labelled images of kNN and the linear probe.
    pub train: Arc<dyn Samples>,
    /// The images that accuracy is measured on.
    pub test: Arc<dyn Samples>,
}

impl Splits {
    /// Opens every split, each once.
    ///
    /// # Errors
    /// What is wrong with the first split that does not open.
    pub fn open(experiment: &Experiment) -> Result<Self> {
        let train = open_split(experiment, Split::Train)?;
        Ok(Splits {
            pretrain: match experiment.dataset.has_unlabelled() {
                true => open_split(experiment, Split::Pretrain)?,
                false => train.clone(),
            },
            train,
            test: open_split(experiment, Split::Test)?,
        })
    }
}

/// Opens one split.
///
/// # Errors
/// What is wrong with it, as a config error at `dataset`.
pub fn open_split(experiment: &Experiment, split: Split) -> Result<Arc<dyn Samples>> {
    let opened = experiment.dataset.open(split).map(Arc::from);
    opened.map_err(|error| error.named_in_config().at("dataset"))
}
