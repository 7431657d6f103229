//! Passes measurements to the experiment's trackers.

use crate::config::Experiment;
use crate::train::callback::Callback;
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use fmicl_core::{Result, TrackedRun, Tracking};
use std::cell::RefCell;
use std::rc::Rc;

/// The trackers of a run; by default there are none.
#[derive(Default)]
pub struct Trackers {
    list: Vec<Box<dyn Tracking>>,
}

/// Trackers on whose values a checkpoint counts.
pub type SharedTrackers = Rc<RefCell<Trackers>>;

impl Trackers {
    /// Those that an experiment names, of a run.
    ///
    /// # Errors
    /// Those of [`Tracker::open`](fmicl_core::Tracker::open), at the tracker's key.
    pub fn open(experiment: &Experiment, run: &TrackedRun) -> Result<Self> {
        let trackers = experiment.trackers.iter().enumerate();
        let opened = trackers.map(|(index, tracker)| {
            let opened = tracker.open(run);
            opened.map_err(|error| experiment.locate(error.at(&format!("trackers[{index}]"))))
        });
        let list = opened.collect::<Result<_>>()?;
        Ok(Trackers { list })
    }

    /// Has everything where it is safe.
    ///
    /// # Errors
    /// Those of [`Tracking::flush`].
    pub fn flush(&mut self) -> Result<()> {
        self.list.iter_mut().try_for_each(|tracker| tracker.flush())
    }
}

impl Callback for SharedTrackers {
    fn log(&mut self, _: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        for tracker in &mut self.borrow_mut().list {
            tracker.step(measured.at, &measured.values)?;
        }
        Ok(())
    }

    /// Flushes the trackers, so that the metrics from before the failed step can be read.
    fn failed(&mut self, _: &mut Trainer, _: &anyhow::Error) {
        if let Err(error) = self.borrow_mut().flush() {
            tracing::warn!("{error}");
        }
    }

    fn end(&mut self, _: &Trainer) -> anyhow::Result<()> {
        Ok(self.borrow_mut().flush()?)
    }

    fn epoch_end(&mut self, _: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        for tracker in &mut self.borrow_mut().list {
            tracker.epoch(measured.at, &measured.values)?;
        }
        Ok(())
    }
}
