//! `fmicl replay`: a step of a run once more, as it was taken, with everything on the way looked at.

use super::callbacks::{Callbacks, NonFinite, Skipped, Tracer};
use super::finite::Diverged;
use super::fit::{end_epoch, step as take_step};
use super::logged::Logged;
use super::open_loader;
use super::resume::OTHER_PROCESSES;
use super::seen::Seen;
use super::trainer::Trainer;
use crate::DeviceChoice;
use crate::config::{Experiment, Train};
use crate::data::Splits;
use crate::run::provenance::{self, Segment};
use crate::run::{Checkpoint, Model, RunDir};
use fmicl_core::{Error, Processes, Result, Single, estimator, registry};
use std::io::Write;
use std::path::Path;
use std::rc::Rc;

/// Takes step `step` (counted from 1) of a run again, from the last checkpoint before it, and prints what was computed on
/// the way, in its order and a tensor a line; `sets` say where the data lie by now; the first that is not all finite is named at the end. Each step follows the
/// `[train]` of the segment that took it, whatever the run has gone on with since; where the step has a line in `steps.jsonl`,
/// the two are compared. Nothing in the run's directory changes.
///
/// # Errors
/// A step that the run has not, or of which the record does not say how it was taken; another dataset than the run was
/// trained on, checkpoints that are all damaged, a sample that cannot be read.
pub fn replay(path: &Path, step: u64, sets: &[String], device: Option<DeviceChoice>) -> anyhow::Result<()> {
    let run = RunDir::open(path)?;
    let mut experiment = run.experiment_with(sets)?;
    let device = device.unwrap_or(experiment.device).resolve()?;
    let device = experiment.train.precision.on(device)?;
    let data = Splits::open(&experiment).map_err(|error| experiment.locate(error))?;
    run.require_portions(&data.pretrain.portions(), &experiment.dataset.source())?;
    let checkpoint = run.newest_checkpoint(step.saturating_sub(1))?;
    let mut model = match &checkpoint {
        Some(checkpoint) => Model::restore(&experiment, device, checkpoint)?,
        None => Model::build(&experiment, device)?,
    };
    require_step(&experiment, &data, &model, step)?;
    let mut out = std::io::stdout();
    let after = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.standing.step);
    match &checkpoint {
        Some(checkpoint) => writeln!(out, "from {}", checkpoint.path.display())?,
        None => writeln!(out, "from the beginning: there is no checkpoint before step {step}")?,
    }
    let segments = provenance::segments(run.path())?;
    let taken = provenance::that_took(&segments, after, step);
    let mut taken = taken.ok_or_else(|| unknown(&run, after))?;
    let (_, last) = taken.pop().ok_or_else(|| unknown(&run, after))?;
    let alone: Rc<dyn Processes> = Rc::new(Single {});
    let epochs = experiment.train.epochs;
    let mut reached = checkpoint;
    for (end, segment) in taken {
        follow(&mut experiment, &run, segment)?;
        let mut trainer = Trainer::new(&experiment, &data, &mut model, device, &alone)?;
        advance(&mut trainer, &data, reached.as_ref(), end)?;
        reached = Some(trainer.state.snapshot().unwritten(run.path().into()));
    }
    follow(&mut experiment, &run, last)?;
    if experiment.train.epochs != epochs {
        writeln!(
            out,
            "with the schedule of that time: train.epochs was {}, and is {epochs} now",
            experiment.train.epochs
        )?;
    }
    if last.processes > 1 {
        writeln!(
            out,
            "in one process, but the run had {}: {OTHER_PROCESSES}",
            last.processes
        )?;
    }
    let mut trainer = Trainer::new(&experiment, &data, &mut model, device, &alone)?;
    advance(&mut trainer, &data, reached.as_ref(), step - 1)?;
    look(&mut trainer, &data, (&run, last))
}

/// That the run has a step of this number.
fn require_step(experiment: &Experiment, data: &Splits, model: &Model, step: u64) -> Result<()> {
    let loader = open_loader(experiment, data.pretrain.clone(), model.learner.views());
    let (_, steps_per_epoch) = loader.map_err(|error| experiment.locate(error))?;
    let total = (steps_per_epoch * experiment.train.epochs) as u64;
    fmicl_core::require((1..=total).contains(&step), "--step", || {
        format!("{step} is not a step of the run, which has 1 to {total}")
    })
}

/// Gives the experiment the `[train]` of a segment.
fn follow(experiment: &mut Experiment, run: &RunDir, segment: &Segment) -> Result<()> {
    let train = segment.train.clone().ok_or_else(|| unknown(run, segment.from_step))?;
    let train: Train = registry::read_options(train)?;
    // How samples are read may be changed; what was computed of them may not.
    experiment.train = Train {
        on_error: experiment.train.on_error,
        ..train
    };
    estimator::set_tile(experiment.train.tile);
    Ok(())
}

/// Takes the next step, which a segment of the run took, and prints what was computed on the way.
fn look(trainer: &mut Trainer, data: &Splits, (run, segment): (&RunDir, &Segment)) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let step = trainer.state.standing.step + 1;
    let tracer = Tracer::new(trainer);
    let seen = tracer.traced();
    let mut callbacks = callbacks(trainer, data, Some(tracer));
    let taken = take_step(trainer, &mut callbacks);
    let diverged = match taken.and_then(|()| trainer.require_finite()) {
        Ok(()) => None,
        Err(error) => Some(error.downcast::<Diverged>()?),
    };
    let seen = seen.borrow();
    writeln!(out, "{}", Seen::HEAD)?;
    for seen in &*seen {
        writeln!(out, "{seen}")?;
    }
    if let Some(diverged) = diverged {
        writeln!(out, "{diverged}")?;
    }
    if let (Some(logged), Some(now)) = (Logged::read(run.path(), step)?, Logged::of(trainer)) {
        let here = Segment::begin(&trainer.state.standing.computing(None));
        writeln!(out, "{}", logged.beside(&now, (segment, &here)))?;
    }
    match seen.iter().find_map(Seen::bad) {
        Some(name) => writeln!(out, "the first that is not finite: {name}")?,
        None => writeln!(out, "everything is finite")?,
    }
    Ok(())
}

/// Goes on from a checkpoint, where there is one, until `last` steps are taken.
fn advance(trainer: &mut Trainer, data: &Splits, from: Option<&Checkpoint>, last: u64) -> anyhow::Result<()> {
    if let Some(checkpoint) = from {
        trainer.resume(checkpoint)?;
    }
    let mut callbacks = callbacks(trainer, data, None);
    while trainer.state.standing.step < last {
        take_step(trainer, &mut callbacks)?;
        if trainer.epoch_is_over() {
            end_epoch(trainer, &mut callbacks)?;
        }
    }
    trainer.require_finite()
}

fn callbacks<'a>(trainer: &Trainer, data: &Splits, tracer: Option<Tracer>) -> Callbacks<'a> {
    let non_finite = NonFinite::new(&trainer.plan.experiment.train, &trainer.state.model.store);
    Callbacks::of_replay(Skipped::unlisted(data), non_finite, tracer)
}

/// That the record does not say how the steps behind one were taken.
fn unknown(run: &RunDir, after: u64) -> Error {
    Error::Run(format!(
        "{}: provenance.json does not contain the settings of step {}, so the step cannot be repeated; restore the \
         file that the run wrote, or name a step of a later segment",
        run.path().display(),
        after + 1
    ))
}
