//! Training: from data to loss to weights.
//!
//! | to read | in |
//! |---|---|
//! | what training is, and how it goes on | `trainer.rs` |
//! | a step | `trainer/step.rs` |
//! | what the processes of a run compute together | [`forward`], [`backward`], [`GradientSums`] |
//! | what is written, and when | `saving.rs`, `journal.rs` |
//! | going on with a run | `resume.rs` |
//! | losses that are not numbers | `finite.rs`, `guard.rs`, `replay.rs` |
//! | samples that cannot be read | `skipped.rs` |

mod batch;
mod chance;
mod finite;
mod guard;
mod interrupt;
mod journal;
mod meter;
mod metrics;
mod progress;
mod replay;
mod resume;
mod saving;
mod seen;
mod setup;
mod skipped;
mod trainer;

pub use batch::{GradientSums, backward, forward};
pub(crate) use interrupt::survive_large_files;
pub use interrupt::{Interrupt, Stopped};
pub use replay::replay;
pub use resume::Resume;
pub(crate) use setup::{open_loader, prepare};

use crate::config::Experiment;
use crate::data::{self, Splits};
use crate::run::provenance::{self, Ongoing};
use crate::run::{Model, RunDir};
use crate::together::{Together, require_alike};
use crate::{eval, log, shell};
use fmicl_core::tch::Device;
use fmicl_core::{Processes, estimator};
use journal::Journal;
use progress::Progress;
pub(crate) use progress::can_be_shown;
use resume::Found;
use saving::Saving;
use serde_json::{Value, json};
use skipped::Skipped;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
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

/// Trains an experiment, or goes on with its run; evaluates it and writes its run directory. Where there are several
/// processes, the first one writes and speaks for all.
///
/// # Errors
/// Whatever stops the run; a [`Stopped`] where it was asked to.
pub fn run(experiment: Experiment, options: &TrainOptions) -> anyhow::Result<()> {
    let device = |gpu| {
        let device = experiment.device.resolve_for(gpu);
        let device = device.and_then(|device| experiment.train.precision.on(device));
        device.map_err(|error| experiment.locate(error))
    };
    let together = Together::meet(&*experiment.engine, device)?;
    together.run(|device, processes| run_with(experiment, options, device, processes))
}

fn run_with(
    experiment: Experiment,
    options: &TrainOptions,
    device: Device,
    processes: &Rc<dyn Processes>,
) -> anyhow::Result<()> {
    // Before the processes have met, a signal just ends this one: there is nothing to save, and nobody who looks.
    options.interrupt.catch()?;
    estimator::set_tile(experiment.train.tile);
    let (many, is_first) = (processes.are_many(), processes.rank() == 0);
    require_alike(&**processes, &RunDir::table_of(&experiment)?)?;
    match is_first {
        true => provenance::begin_sha256(),
        false => log::leave_telling(),
    }
    let mut found = match is_first {
        true => resume::find(&experiment, options)?,
        false => None,
    };
    let checkpoint = found.as_mut().and_then(|found| found.checkpoint.take());
    // The files that are named may be others by now, or gone: a run goes on with its own.
    let going_on = found.as_ref().map(|found| found.run.path().to_string_lossy());
    let going_on = processes.text_of_first(&going_on.unwrap_or_default())?;
    let experiment = match RunDir::open(Path::new(&going_on)) {
        Ok(run) if !going_on.is_empty() => run.reading_its_files(&experiment)?,
        // A new run; or one that lies on the disk of the first process alone.
        _ => experiment,
    };
    let data = match going_on.is_empty() {
        true => Splits::open_to_train(&experiment),
        false => Splits::open(&experiment),
    };
    let data = data.map_err(|error| experiment.locate(error))?;
    let (samples, portions) = (data.pretrain.len(), data.pretrain.portions());
    if many {
        processes.require_same("the dataset", &data::as_text(samples, &portions))?;
    }
    let mut model = match &checkpoint {
        Some(checkpoint) => Model::restore(&experiment, device, checkpoint)?,
        None => Model::build(&experiment, device)?,
    };
    eval::require_room(&data, model.learner.encoder().width(), device).map_err(|error| experiment.locate(error))?;
    let mut trainer = Trainer::new(&experiment, &data, &mut model, device, processes)?;
    if let Some(checkpoint) = &checkpoint {
        trainer.resume(checkpoint)?;
    }
    trainer.follow_first()?;
    let progress = match is_first {
        true => Progress::new(trainer.total_steps(), trainer.steps()),
        false => Progress::silent(),
    };
    let is_over = |found: &Found| found.run.is_finished() && trainer.steps() == trainer.total_steps();
    let is_over = found.as_ref().filter(|found| is_over(found));
    if let Some(found) = is_over {
        let path = found.run.path().display();
        progress.note(&format!(
            "{path}: this run is finished; with a larger train.epochs it goes on"
        ));
    }
    if processes.largest([is_over.is_some().into()])? == [1] {
        return Ok(());
    }
    let run = match found {
        Some(found) => {
            log::open(&found.run.log_path())?;
            found.go_on(checkpoint.as_ref(), &experiment, &portions, &trainer, &progress)?;
            Some(found.run)
        }
        None if is_first => {
            let started = trainer.model.init.is_some().then_some(&*trainer.model);
            let path = options.out.clone().unwrap_or_else(|| RunDir::unused(&options.name));
            let run = RunDir::create(path, &experiment, trainer.bytes(), started)?;
            run.keep_portions(&portions)?;
            log::open(&run.log_path())?;
            if options.resume == Resume::Auto {
                progress.note(&format!("{}: no run there yet, one begins", run.path().display()));
            }
            Some(run)
        }
        None => None,
    };
    let segment = |run: &RunDir| Ongoing::begin(run.path(), &trainer.standing().computing(Some(&experiment.train)));
    let mut segment = run.as_ref().map(segment).transpose()?;
    if let Some(run) = &run {
        trainer.skipped = Skipped::at(run.path().join("skipped.jsonl"), &data.left_out)?;
        trainer.journal = Journal::open(run.path(), trainer.epochs(), trainer.steps())?;
    }
    let path = run.as_ref().map(|run| run.path().to_string_lossy());
    let path = PathBuf::from(processes.text_of_first(&path.unwrap_or_default())?);
    progress.note(&format!(
        "{samples} {}, {} steps an epoch, {:.2} M parameters, {device:?}{}; run directory {}",
        experiment.dataset.modality(),
        trainer.steps_per_epoch(),
        trainer.model.parameters() as f64 / 1e6,
        if many {
            format!(" in each of {} processes", processes.size())
        } else {
            String::new()
        },
        path.display(),
    ));
    if is_first {
        data.notes(&experiment).iter().for_each(|note| progress.note(note));
    }
    if let Some(init) = &trainer.model.init {
        progress.note(&format!("the backbone starts with {init}"));
    }

    let last = checkpoint.map(|checkpoint| checkpoint.standing.step);
    let mut saving = Saving::new(&experiment, &**processes, (&path, run.as_ref()), options, last)?;
    let finished = train(
        &experiment,
        &data,
        (device, processes),
        &mut trainer,
        &mut saving,
        &progress,
    )
    .map_err(|error| saving.explain(error))?;
    if let Some(cost) = saving.cost() {
        progress.note(&cost);
    }
    saving.finish(trainer.steps())?;
    if !finished {
        if is_first {
            let (steps, path) = (trainer.steps(), shell::word(&path));
            writeln!(
                std::io::stdout(),
                "stopped after step {steps}; go on by: fmicl train --resume {path}"
            )?;
        }
        return Ok(());
    }
    let judged = data.judge_encoders();
    progress.note(match judged {
        true => "evaluating the encoder before training and after",
        false => "nothing judges the encoder: the experiment has no `evaluations` for its dataset",
    });
    progress.finish();

    let seconds = trainer.seconds();
    let mut skipped = std::mem::take(&mut trainer.skipped);
    // By the copies here, too, where this process sees them.
    let experiment = match RunDir::open(&path) {
        Ok(run) => run.experiment()?,
        Err(_) if !is_first => experiment,
        Err(error) => return Err(error.into()),
    };
    let evaluated = eval::compare(&experiment, &data, &model, device, processes)?;
    skipped.list(&data.left_out)?;
    let Some(run) = run else {
        return Ok(());
    };
    let mut result = json!(evaluated);
    let about = json!({
        "seed": experiment.seed,
        "epochs": experiment.train.epochs,
        "seconds": seconds,
        "segments": segment.as_mut().map(Ongoing::end).transpose()?,
    });
    if let (Some(result), Value::Object(about)) = (result.as_object_mut(), about) {
        result.extend(about);
    }
    run.write_result(&result)?;
    let worth = if judged {
        "; what it is worth is in result.json"
    } else {
        ""
    };
    tracing::info!("finished after {seconds:.0} s of training{worth}");
    writeln!(std::io::stdout(), "{evaluated}run directory: {}", run.path().display())?;
    Ok(())
}

/// Takes the steps that are left; whether those were all, or the run stops before.
fn train(
    experiment: &Experiment,
    data: &Splits,
    (device, processes): (Device, &Rc<dyn Processes>),
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
                metrics.evaluations = eval::online(experiment, data, trainer.model, device, processes)?;
                trainer.skipped.list(&data.left_out)?;
            }
            progress.note(&metrics.to_string());
            trainer.journal.epoch(&metrics)?;
            let score = metrics.evaluations.score(experiment.eval.best.as_deref());
            let score = score.map_err(|error| experiment.locate(error))?;
            trainer.begin_epoch(score);
            ended = Some(score);
        }
    }
}
