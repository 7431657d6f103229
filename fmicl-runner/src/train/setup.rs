//! Objects of training, built from an experiment.

use crate::config::Experiment;
use crate::run::LearnedScalars;
use fmicl_core::panics::refused;
use fmicl_core::tch::nn::VarStore;
use fmicl_core::{Parameters, Result, Samples, Stepper};
use fmicl_data::Loader;
use std::sync::Arc;

/// The parameters in flat buffers, and the optimizer with its own.
///
/// # Errors
/// A config error at `backbone` where there is not the memory.
pub fn prepare(
    experiment: &Experiment,
    store: &VarStore,
    learned: &LearnedScalars,
) -> Result<(Parameters, Box<dyn Stepper>)> {
    let prepared = refused("cannot be trained", || {
        let parameters = Parameters::with_rates(store, &learned.rates());
        let optimizer = experiment.optimizer.build(&parameters);
        Ok((parameters, optimizer))
    });
    prepared.map_err(|error| error.at("backbone"))
}

/// The loader of an experiment's training batches, and the number of optimizer steps that they make in an epoch.
///
/// # Errors
/// A dataset, batch size and accumulation that do not make one step.
pub fn open_loader(experiment: &Experiment, samples: Arc<dyn Samples>, views: usize) -> Result<(Loader, usize)> {
    let train = &experiment.train;
    if let Some(count) = experiment.views.count() {
        fmicl_core::require(count == views, "views.each", || {
            let architecture = experiment.architecture.name();
            format!("{count} views, and the architecture `{architecture}` takes {views}")
        })?;
    }
    let loader = Loader::new(
        samples,
        experiment.views.share(),
        views,
        train.batch_size,
        experiment.seed,
        train.data_threads(),
    )
    .map_err(|error| error.at("train"))?
    .on_error(train.on_error)
    .by_weight()
    .map_err(|error| error.at("train"))?;
    let steps = loader.batches() / train.accumulate;
    fmicl_core::require(steps >= 1, "train.accumulate", || {
        format!(
            "a step takes {} batches, and an epoch has only {}",
            train.accumulate,
            loader.batches()
        )
    })?;
    Ok((loader, steps))
}
