//! Training: from data to loss to weights.

mod chance;
mod epoch;
mod model;
mod progress;
mod run_dir;

pub use model::Model;
pub use run_dir::{Restored, RunDir};

use crate::config::Experiment;
use crate::data::Splits;
use crate::{eval, log};
use anyhow::bail;
use epoch::Trainer;
pub(crate) use epoch::{open_loader, prepare};
use fmicl_core::estimator;
use fmicl_core::tch;
use progress::Progress;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// What the command line decides about a training run, beside the experiment.
#[derive(Debug, Clone, Default)]
pub struct TrainOptions {
    /// The run's directory; by default a new one under `runs/`, named after the experiment file.
    pub out: Option<PathBuf>,
    /// The experiment file's stem.
    pub name: String,
}

/// Trains an experiment, evaluates it and writes its run directory.
///
/// # Errors
/// Whatever stops the run.
pub fn run(mut experiment: Experiment, options: &TrainOptions) -> anyhow::Result<()> {
    let started = Instant::now();
    let device = experiment.device.resolve()?;
    estimator::set_tile(experiment.train.tile);
    let (engine, processes) = (experiment.engine.name(), experiment.engine.world_size());
    if processes != 1 {
        bail!("the engine `{engine}` runs {processes} processes; training takes one alone for now");
    }
    let data = Splits::open(&experiment).map_err(|error| experiment.locate(error))?;
    let mut model = Model::build(&experiment, device)?;
    let mut trainer = Trainer::new(&experiment, &data, &mut model, device)?;
    let run = RunDir::create(options, &experiment, trainer.model.bytes())?;
    if trainer.model.init.is_some() {
        run.save_init(trainer.model)?;
    }
    log::open(&run.log_path())?;
    let progress = Progress::new(trainer.total_steps());
    progress.note(&format!(
        "{} {}, {} steps an epoch, {:.2} M parameters, {device:?}; run directory {}",
        data.pretrain.len(),
        experiment.dataset.modality(),
        trainer.steps_per_epoch(),
        trainer.model.parameters() as f64 / 1e6,
        run.path().display(),
    ));
    if let Some(init) = &trainer.model.init {
        progress.note(&format!("the backbone starts with {init}"));
    }

    let epochs = experiment.train.epochs;
    for epoch in 1..=epochs {
        let mut metrics = trainer.epoch(epoch, &progress)?;
        let due = |every: usize| every > 0 && epoch.is_multiple_of(every);
        if due(experiment.eval.every) {
            (metrics.online, metrics.evaluations) = eval::online(&experiment, &data, trainer.model, device)?;
        }
        progress.note(&metrics.to_string());
        run.append_metrics(&metrics)?;
        if due(experiment.train.checkpoint_every) || epoch == epochs {
            run.save_checkpoint(epoch, trainer.model)?;
        }
    }
    progress.note("evaluating the encoder before training and after");
    progress.finish();

    if model.init.is_some() {
        // The file that was named may be another one by now.
        experiment.init = Some(run.init_path());
    }
    let verdict = eval::compare(&experiment, &data, &model, device)?;
    let mut result = json!(verdict);
    let about = json!({
        "seed": experiment.seed,
        "epochs": epochs,
        "seconds": started.elapsed().as_secs_f64(),
        "device": format!("{device:?}"),
        // The last bits of a result depend on the number of libtorch's threads.
        "threads": tch::get_num_threads(),
    });
    if let (Some(result), Value::Object(about)) = (result.as_object_mut(), about) {
        result.extend(about);
    }
    run.write_json("result.json", &result)?;
    writeln!(std::io::stdout(), "{verdict}run directory: {}", run.path().display())?;
    Ok(())
}
