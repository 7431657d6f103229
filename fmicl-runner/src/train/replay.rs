//! `fmicl replay`: a step of a run once more, with everything on the way looked at.

use super::callbacks::{Callbacks, NonFinite, Tracer};
use super::finite::Diverged;
use super::fit::{end_epoch, step as take_step};
use super::resume::OTHER_PROCESSES;
use super::seen::Seen;
use super::trainer::Trainer;
use crate::DeviceChoice;
use crate::data::Splits;
use crate::run::{Model, RunDir};
use fmicl_core::{Processes, Single, estimator};
use std::io::Write;
use std::path::Path;
use std::rc::Rc;

/// Takes step `step` (counted from 1) of a run again, from the last checkpoint before it, and prints what was computed on
/// the way, in its order and a tensor a line; `sets` say where the data lie by now; the first that is not all finite is named at the end. Nothing in the run's
/// directory changes.
///
/// # Errors
/// A step that the run has not, another dataset than the run was trained on, checkpoints that are all damaged, a sample that cannot be read.
pub fn replay(path: &Path, step: u64, sets: &[String], device: Option<DeviceChoice>) -> anyhow::Result<()> {
    let run = RunDir::open(path)?;
    let experiment = run.experiment_with(sets)?;
    let device = device.unwrap_or(experiment.device).resolve()?;
    let device = experiment.train.precision.on(device)?;
    estimator::set_tile(experiment.train.tile);
    let data = Splits::open(&experiment).map_err(|error| experiment.locate(error))?;
    run.require_portions(&data.pretrain.portions())?;
    let checkpoint = run.newest_checkpoint(step.saturating_sub(1))?;
    let mut model = match &checkpoint {
        Some(checkpoint) => Model::restore(&experiment, device, checkpoint)?,
        None => Model::build(&experiment, device)?,
    };
    let alone: Rc<dyn Processes> = Rc::new(Single {});
    let mut trainer = Trainer::new(&experiment, &data, &mut model, device, &alone)?;
    let total = trainer.plan.total_steps();
    fmicl_core::require((1..=total).contains(&step), "--step", || {
        format!("{step} is not a step of the run, which has 1 to {total}")
    })?;
    let mut out = std::io::stdout();
    match &checkpoint {
        Some(checkpoint) => {
            trainer.resume(checkpoint)?;
            writeln!(out, "from {}", checkpoint.path.display())?;
            if checkpoint.standing.processes > 1 {
                writeln!(
                    out,
                    "in one process, and the run had {}: {OTHER_PROCESSES}",
                    checkpoint.standing.processes
                )?;
            }
        }
        None => writeln!(out, "from the beginning: no checkpoint is from before step {step}")?,
    }
    let non_finite = |trainer: &Trainer| NonFinite::new(&experiment.train, &trainer.state.model.store);
    let mut callbacks = Callbacks::of_replay(non_finite(&trainer), None);
    while trainer.state.standing.step + 1 < step {
        take_step(&mut trainer, &mut callbacks)?;
        if trainer.epoch_is_over() {
            end_epoch(&mut trainer, &mut callbacks)?;
        }
    }
    trainer.require_finite()?;
    let tracer = Tracer::new(&trainer);
    let seen = tracer.traced();
    let mut callbacks = Callbacks::of_replay(non_finite(&trainer), Some(tracer));
    let taken = take_step(&mut trainer, &mut callbacks);
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
    match seen.iter().find_map(Seen::bad) {
        Some(name) => writeln!(out, "the first that is not finite: {name}")?,
        None => writeln!(out, "everything is finite")?,
    }
    Ok(())
}
