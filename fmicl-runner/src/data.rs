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
        let open = |split| -> Result<Arc<dyn Samples>> {
            let samples = experiment.dataset.open(split).map_err(|error| error.at("dataset"))?;
            Ok(samples.into())
        };
        let train = open(Split::Train)?;
        Ok(Splits {
            pretrain: match experiment.dataset.has_unlabelled() {
                true => open(Split::Pretrain)?,
                false => train.clone(),
            },
            train,
            test: open(Split::Test)?,
        })
    }
}
