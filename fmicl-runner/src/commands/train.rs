//! `fmicl train`: trains an experiment, and judges its encoder.

use crate::config::Experiment;
use crate::eval;
use crate::run::Model;
use crate::together::Together;
use crate::train::{self, Opened, TrainOptions, Worth};
use fmicl_core::Processes;
use fmicl_core::tch::Device;
use serde_json::json;
use std::rc::Rc;

/// Trains an experiment, or goes on with its run; evaluates it and writes its run directory. Where there are several
/// processes, the first one writes and speaks for all.
///
/// # Errors
/// Whatever stops the run; a [`Stopped`](train::Stopped) where it was asked to.
pub fn train_and_judge(experiment: Experiment, options: &TrainOptions) -> anyhow::Result<()> {
    let device = |gpu| {
        let device = experiment.device.resolve_for(gpu);
        let device = device.and_then(|device| experiment.train.precision.on(device));
        device.map_err(|error| experiment.locate(error))
    };
    let together = Together::meet(&*experiment.engine, device)?;
    together.run(|device, processes| with_others(experiment, options, device, processes))
}

fn with_others(
    experiment: Experiment,
    options: &TrainOptions,
    device: Device,
    processes: &Rc<dyn Processes>,
) -> anyhow::Result<()> {
    let (opened, found) = Opened::new(experiment, options, &**processes)?;
    let (experiment, data) = (&opened.experiment, &opened.data);
    let mut model = opened.model(found.as_ref(), device)?;
    let width = model.learner.encoder().width();
    eval::require_room(data, width, device).map_err(|error| experiment.locate(error))?;
    let judge = |model: &Model| -> anyhow::Result<Worth> {
        let worth = eval::online(experiment, data, model, device, processes)?;
        Ok(Worth {
            line: worth.to_string(),
            score: worth.score,
            values: worth.values(),
        })
    };
    let trained = train::run((&opened, found), &mut model, (device, processes), options, &judge)?;
    let Some(trained) = trained else {
        return Ok(());
    };
    trained.tell(data.judge_encoders());
    // By the copies in the run, where this process sees them.
    let own = trained.experiment(&**processes)?;
    let experiment = own.as_ref().unwrap_or(experiment);
    let verdict = eval::compare(experiment, data, &model, device, processes)?;
    trained.write(experiment, json!(verdict), &verdict.to_string())
}
