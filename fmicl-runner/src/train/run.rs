//! A training run from its first step, or the one at which it stands, to its last.

use super::callbacks::{
    Callbacks, ChanceLevel, Checkpoints, Collapse, Judge, NonFinite, Online, SharedTrackers, Signals, Skipped, Watching,
};
use super::finish::Trained;
use super::finite::explain;
use super::fit::fit;
use super::interrupt::Stopped;
use super::open::Opened;
use super::options::TrainOptions;
use super::resume::Found;
use super::start::Started;
use super::trainer::Trainer;
use crate::config::Experiment;
use crate::run::Model;
use crate::shell;
use fmicl_core::tch::Device;
use fmicl_core::{Ending, Processes};
use std::io::Write;
use std::rc::Rc;

/// Trains a model, or goes on with its run where it was `found`, and writes the run's directory; `judge` says what the
/// encoder is worth on the way. `None` where there is nothing to judge at the end: the run was finished before, or stops
/// early. Where there are several processes, the first one writes and speaks for all.
///
/// # Errors
/// Whatever stops the run; a [`Stopped`](super::Stopped) where a signal asked for it.
pub fn run(
    (opened, found): (&Opened, Option<Found>),
    model: &mut Model,
    (device, processes): (Device, &Rc<dyn Processes>),
    options: &TrainOptions,
    judge: &Judge,
) -> anyhow::Result<Option<Trained>> {
    let experiment = &opened.experiment;
    let mut trainer = Trainer::new(experiment, &opened.data, model, device, processes)?;
    let checkpoint = found.as_ref().and_then(|found| found.checkpoint.as_ref());
    let last = checkpoint.map(|checkpoint| checkpoint.standing.step);
    if let Some(checkpoint) = checkpoint {
        trainer.resume(checkpoint)?;
    }
    trainer.follow_first()?;
    let Some(started) = Started::new((opened, found), &trainer, options)? else {
        return Ok(None);
    };
    let (skipped, trackers) = started.lines(opened, &trainer)?;
    let mut callbacks = watching(&started, &trainer, options, judge, (skipped, trackers.clone(), last))?;
    started.tell(opened, &trainer);
    let finished = fit(&mut trainer, &mut callbacks).and_then(|finished| {
        callbacks.end(&trainer)?;
        Ok(finished)
    });
    // A checkpoint that was begun is there before anything is said of it.
    drop(callbacks);
    match &finished {
        Ok(true) => {}
        Ok(false) => trackers.borrow_mut().end(Ending::Stopped),
        Err(error) if error.is::<Stopped>() => trackers.borrow_mut().end(Ending::Stopped),
        Err(_) => trackers.borrow_mut().end(Ending::Failed),
    }
    let finished = finished.map_err(|error| explain(error, started.run.as_ref(), experiment))?;
    let (step, seconds) = (trainer.state.standing.step, trainer.state.seconds());
    if finished {
        return Ok(Some(Trained {
            started,
            trackers,
            seconds,
        }));
    }
    if started.run.is_some() {
        let path = shell::word(&started.path);
        writeln!(
            std::io::stdout(),
            "stopped after step {step}; resume with: fmicl train --resume {path}"
        )?;
    }
    Ok(None)
}

/// The callbacks of a run that goes on from the checkpoint after `last` steps, if there was one.
fn watching<'a>(
    started: &'a Started,
    trainer: &Trainer<'a>,
    options: &'a TrainOptions,
    judge: &'a Judge,
    (skipped, trackers, last): (Skipped, SharedTrackers, Option<u64>),
) -> anyhow::Result<Callbacks<'a>> {
    let Experiment { train, eval, .. } = trainer.plan.experiment;
    let (progress, run) = (&started.progress, started.run.as_ref());
    Ok(Callbacks::of_run(Watching {
        skipped,
        chance: ChanceLevel::new(progress.clone()),
        non_finite: NonFinite::new(train, &trainer.state.model.store),
        online: Online::new(eval, judge),
        progress: progress.clone(),
        trackers: trackers.clone(),
        collapse: Collapse::new(train, progress.clone()),
        checkpoints: Checkpoints::new(train, run, trackers, progress.clone(), last)?,
        signals: Signals {
            interrupt: &options.interrupt,
            stop_after: options.stop_after,
            path: started.path.clone(),
            speaks: run.is_some(),
        },
    }))
}
