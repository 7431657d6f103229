//! Passes measurements to the experiment's trackers.

use super::tracked_tensors::{cosines, first_of_bank, picture};
use crate::config::Experiment;
use crate::trackers::Jsonl;
use crate::train::callback::{Callback, Forward, Step};
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use fmicl_core::tch::Tensor;
use fmicl_core::{Ending, Moment, Negatives, Pairing, Result, TrackedRun, Tracker, Tracking};
use std::cell::RefCell;
use std::rc::Rc;

/// The name of the tracker [`Jsonl`].
const HISTORY: &str = "jsonl";

/// The trackers of a run; by default there are none.
#[derive(Default)]
pub struct Trackers {
    list: Vec<Box<dyn Tracking>>,
    /// Whether one of them wants views and cosines.
    wants_tensors: bool,
    /// The first pairing of the last step.
    last: Option<Pairing>,
    /// The bank of the epoch's last step as its loss saw it: the step itself writes its own positives into it.
    bank: Option<Tensor>,
    /// Whether the views of the first batch were shown.
    shown: bool,
}

/// Trackers on whose values a checkpoint counts.
pub type SharedTrackers = Rc<RefCell<Trackers>>;

impl Trackers {
    /// Those that an experiment names, of a run, and always the JSON lines: they are its history, by which other commands show and
    /// compare it.
    ///
    /// # Errors
    /// Those of [`Tracker::open`], at the tracker's key.
    pub fn open(experiment: &Experiment, run: &TrackedRun) -> Result<Self> {
        let trackers = experiment.trackers.iter().enumerate();
        let opened = trackers.map(|(index, tracker)| {
            let opened = tracker.open(run);
            opened.map_err(|error| experiment.locate(error.at(&format!("trackers[{index}]"))))
        });
        let mut list = opened.collect::<Result<Vec<_>>>()?;
        if !experiment.trackers.iter().any(|tracker| tracker.name() == HISTORY) {
            list.insert(0, Jsonl {}.open(run)?);
        }
        Ok(Trackers {
            wants_tensors: list.iter().any(|tracker| tracker.wants_tensors()),
            list,
            ..Trackers::default()
        })
    }

    fn that_want_tensors(&mut self) -> impl Iterator<Item = &mut Box<dyn Tracking>> {
        self.list.iter_mut().filter(|tracker| tracker.wants_tensors())
    }

    /// Has everything where it is safe.
    ///
    /// # Errors
    /// Those of [`Tracking::flush`].
    pub fn flush(&mut self) -> Result<()> {
        self.list.iter_mut().try_for_each(|tracker| tracker.flush())
    }

    /// The work of this process on the run ends. A tracker that fails now is a warning.
    pub fn end(&mut self, ending: Ending) {
        for tracker in &mut self.list {
            warn(tracker.end(ending));
        }
    }
}

fn warn(tracked: Result<()>) {
    if let Err(error) = tracked {
        tracing::warn!("{error}");
    }
}

impl Callback for SharedTrackers {
    /// Shows the trackers some views of the run's first batch, and keeps the bank of an epoch's last step.
    fn loss(&mut self, trainer: &mut Trainer, forward: &Forward) {
        let mut trackers = self.borrow_mut();
        if !trackers.wants_tensors {
            return;
        }
        let step = trainer.state.standing.step;
        if (step + 1).is_multiple_of(trainer.plan.steps_per_epoch)
            && let Some(Negatives::Bank(bank)) = forward.pairings.first().map(|pairing| &pairing.negatives)
        {
            trackers.bank = Some(first_of_bank(bank));
        }
        if step > 0 || std::mem::replace(&mut trackers.shown, true) {
            return;
        }
        for (number, view) in (1..).zip(forward.views) {
            let Some(pixels) = picture(&view.input) else { return };
            for tracker in trackers.that_want_tensors() {
                let at = Moment { epoch: 1, step: 1 };
                warn(tracker.image(at, &format!("views/{number}"), &pixels));
            }
        }
    }

    fn step_end(&mut self, _: &mut Trainer, step: &Step) {
        let mut trackers = self.borrow_mut();
        let bank = trackers.bank.take();
        if let (true, Some(pairing)) = (trackers.wants_tensors, &step.pairing) {
            trackers.last = Some(Pairing {
                anchors: pairing.anchors.detach(),
                positives: pairing.positives.detach(),
                negatives: match &pairing.negatives {
                    Negatives::Batch => Negatives::Batch,
                    Negatives::Keys => Negatives::Keys,
                    Negatives::Candidates(candidates) => Negatives::Candidates(candidates.detach()),
                    Negatives::Bank(now) => Negatives::Bank(bank.unwrap_or_else(|| now.shallow_clone())),
                },
            });
        }
    }

    fn log(&mut self, _: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        for tracker in &mut self.borrow_mut().list {
            tracker.step(measured.at, &measured.values)?;
        }
        Ok(())
    }

    /// Flushes the trackers, so that the metrics from before the failed step can be read.
    fn failed(&mut self, _: &mut Trainer, _: &anyhow::Error) {
        warn(self.borrow_mut().flush());
    }

    fn end(&mut self, _: &Trainer) -> anyhow::Result<()> {
        Ok(self.borrow_mut().flush()?)
    }

    /// Passes on the epoch's metrics, and the cosines of its last batch.
    fn epoch_end(&mut self, _: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        let mut trackers = self.borrow_mut();
        let cosines = trackers
            .last
            .take()
            .map(|pairing| cosines(&pairing))
            .unwrap_or_default();
        for (name, cosines) in &cosines {
            for tracker in trackers.that_want_tensors() {
                warn(tracker.histogram(measured.at, name, cosines));
            }
        }
        for tracker in &mut trackers.list {
            tracker.epoch(measured.at, &measured.values)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tracking/tests.rs"]
mod tests;
