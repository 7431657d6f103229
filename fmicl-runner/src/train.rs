//! Training: from data to loss to weights.
//!
//! | to read | in |
//! |---|---|
//! | what training is, and how it goes on | `trainer.rs` |
//! | a step | `trainer/step.rs` |
//! | what the processes of a run compute together | [`learn`], [`sum_gradients`] |
//! | what is written, and when | `checkpoint.rs`, `checkpoints.rs`, `saving.rs`, `journal.rs`, `lines.rs` |
//! | going on with a run | `resume.rs` |
//! | losses that are not numbers | `finite.rs`, `guard.rs`, `replay.rs` |
//! | samples that cannot be read | `skipped.rs` |

mod batch;
mod chance;
mod checkpoint;
mod checkpoints;
mod finite;
mod guard;
mod interrupt;
mod journal;
mod kept;
mod lines;
mod meter;
mod metrics;
mod model;
mod progress;
mod replay;
mod resume;
mod run_dir;
mod saving;
mod seen;
mod setup;
mod skipped;
mod trainer;

pub use batch::{learn, sum_gradients};
pub use checkpoint::Snapshot;
pub use interrupt::{Interrupt, Stopped};
pub use model::Model;
pub use replay::replay;
pub use resume::Resume;
pub use run_dir::{Restored, RunDir};
pub(crate) use setup::{open_loader, prepare};

use crate::config::Experiment;
use crate::data::Splits;
use crate::{eval, log};
use anyhow::bail;
use fmicl_core::estimator;
use fmicl_core::tch::{self, Device};
use journal::Journal;
use progress::Progress;
use saving::Saving;
use serde_json::{Value, json};
use skipped::Skipped;
use std::io::Write;
use std::path::PathBuf;
use trainer::Trainer;

/// What the command line decides about a training run, beside the experiment.
#[derive(Debug, Clone, Default)]
pub struct TrainOptions {
    /// The run's directory; by default a new one under `runs/`, named after the experiment file.
    pub out: Option<PathBuf>,
    /// The experiment file's stem.
    pub name: String,
    /// The run to go on with.
    pub resume: Resume,
    /// Stop after this many steps of the run, with a checkpoint.
    pub stop_after: Option<u64>,
    /// What asks the run to stop.
    pub interrupt: Interrupt,
}

/// Trains an experiment, or goes on with its run; evaluates it and writes its run directory.
///
/// # Errors
/// Whatever stops the run; a [`Stopped`] where it was asked to.
pub fn run(experiment: Experiment, options: &TrainOptions) -> anyhow::Result<()> {
    let device = experiment
        .device
        .resolve()
        .and_then(|device| experiment.train.precision.on(device));
    let device = device.map_err(|error| experiment.locate(error))?;
    estimator::set_tile(experiment.train.tile);
    if experiment
        .engine
        .join(device)
        .map_err(|error| error.at("engine"))?
        .are_many()
    {
        bail!("training takes one process alone for now");
    }
    let mut found = resume::find(&experiment, options)?;
    let checkpoint = found.as_mut().and_then(|found| found.checkpoint.take());
    // The files that are named may be others by now, or gone: a run goes on with its own.
    let experiment = found
        .as_mut()
        .and_then(|found| found.experiment.take())
        .unwrap_or(experiment);
    let data = Splits::open(&experiment).map_err(|error| experiment.locate(error))?;
    let mut model = match &checkpoint {
        Some(checkpoint) => Model::restore(&experiment, device, checkpoint)?,
        None => Model::build(&experiment, device)?,
    };
    let mut trainer = Trainer::new(&experiment, &data, &mut model, device)?;
    if let Some(checkpoint) = &checkpoint {
        trainer.resume(checkpoint)?;
    }
    let progress = Progress::new(trainer.total_steps(), trainer.steps());
    let run = match found {
        Some(found) if found.run.is_finished() && trainer.steps() == trainer.total_steps() => {
            let path = found.run.path().display();
            progress.announce(&format!(
                "{path}: this run is finished; with a larger train.epochs it goes on"
            ));
            return Ok(());
        }
        Some(found) => {
            log::open(&found.run.log_path())?;
            found.go_on(checkpoint.as_ref(), &experiment, &trainer, &progress)?;
            found.run
        }
        None => {
            let started = trainer.model.init.is_some().then_some(&*trainer.model);
            let run = RunDir::create(options, &experiment, trainer.bytes(), started)?;
            log::open(&run.log_path())?;
            if options.resume == Resume::Auto {
                progress.announce(&format!("{}: no run there yet, one begins", run.path().display()));
            }
            run
        }
    };
    trainer.skipped = Skipped::at(run.path().join("skipped.jsonl"))?;
    trainer.journal = Journal::open(run.path(), trainer.epochs(), trainer.steps())?;
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

    let last = checkpoint.map(|checkpoint| checkpoint.standing.step);
    let mut saving = Saving::new(&experiment.train, &run, options, last)?;
    let finished = train(&experiment, &data, device, &mut trainer, &mut saving, &progress)
        .map_err(|error| saving.explain(error))?;
    progress.note(&saving.cost());
    saving.finish()?;
    if !finished {
        let (steps, path) = (trainer.steps(), run.path().display());
        writeln!(
            std::io::stdout(),
            "stopped after step {steps}; go on by: fmicl train --resume {path}"
        )?;
        return Ok(());
    }
    progress.note("evaluating the encoder before training and after");
    progress.finish();

    let seconds = trainer.seconds();
    // By the copies here, too.
    let experiment = run.experiment()?;
    let verdict = eval::compare(&experiment, &data, &model, device)?;
    let mut result = json!(verdict);
    let about = json!({
        "seed": experiment.seed,
        "epochs": experiment.train.epochs,
        "seconds": seconds,
        "device": format!("{device:?}"),
        // The last bits of a result depend on the number of libtorch's threads.
        "threads": tch::get_num_threads(),
    });
    if let (Some(result), Value::Object(about)) = (result.as_object_mut(), about) {
        result.extend(about);
    }
    run.write_result(&result)?;
    writeln!(std::io::stdout(), "{verdict}run directory: {}", run.path().display())?;
    Ok(())
}

/// Takes the steps that are left; whether those were all, or the run stops before.
fn train(
    experiment: &Experiment,
    data: &Splits,
    device: Device,
    trainer: &mut Trainer,
    saving: &mut Saving,
    progress: &Progress,
) -> anyhow::Result<bool> {
    // What the online evaluation of an epoch that has just ended gave.
    let mut ended: Option<Option<f64>> = None;
    loop {
        if saving.between_steps(trainer, ended.take())? {
            return Ok(false);
        }
        if trainer.epochs() == experiment.train.epochs {
            return Ok(true);
        }
        if let Err(error) = trainer.step(progress) {
            saving.rescue(trainer, &error);
            return Err(error);
        }
        if trainer.epoch_is_over() {
            let mut metrics = trainer.end_epoch()?;
            if experiment.eval.every > 0 && trainer.epochs().is_multiple_of(experiment.eval.every) {
                metrics.worth = eval::online(experiment, data, trainer.model, device)?;
            }
            progress.note(&metrics.to_string());
            trainer.journal.epoch(&metrics)?;
            let score = metrics.worth.score;
            trainer.begin_epoch(score);
            ended = Some(score);
        }
    }
}
