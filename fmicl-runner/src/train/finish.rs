//! The last phase of a training run: what it gave.

use super::callbacks::{SharedTrackers, Skipped};
use super::start::Started;
use crate::config::Experiment;
use crate::data::Splits;
use crate::run::RunDir;
use crate::run::provenance::Ongoing;
use crate::shell;
use anyhow::Context;
use fmicl_core::{Ending, Error, MetricValues, Processes};
use serde_json::{Value, json};
use std::io::Write;

/// A run that is trained, but not yet evaluated.
pub struct Trained {
    pub(super) started: Started,
    pub(super) trackers: SharedTrackers,
    /// Seconds of training.
    pub(super) seconds: f64,
}

impl Trained {
    /// Logs whether there is an evaluation.
    pub fn tell(&self, judged: bool) {
        let progress = &self.started.progress;
        progress.note(match judged {
            true => "evaluating the encoder before and after training",
            false => "the encoder is not evaluated: the experiment has no `evaluations` for its dataset",
        });
        progress.finish();
    }

    /// The error of an evaluation that failed: nothing of the training is lost, and how it can be repeated.
    pub fn unjudged(&self, error: &anyhow::Error) -> Error {
        self.trackers.borrow_mut().end(Ending::Failed);
        let run = shell::word(&self.started.path);
        Error::Run(format!(
            "{error}; training is complete, and its encoder is kept: `fmicl train --resume {run}`, with the --set that helps, evaluates it \
             again and finishes the run"
        ))
    }

    /// The experiment with the run's own copies of files, where this process sees them.
    ///
    /// # Errors
    /// A run that is gone.
    pub fn experiment(&self, processes: &dyn Processes) -> anyhow::Result<Option<Experiment>> {
        match RunDir::open(&self.started.path) {
            Ok(run) => Ok(Some(run.experiment()?)),
            Err(_) if processes.rank() > 0 => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what the run gave, with how its encoder was judged, `verdict`, and prints that; lists the samples of `data` that
    /// the judgement left out. Trackers get the trained encoder's `metrics`.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(
        self,
        experiment: &Experiment,
        data: &Splits,
        (verdict, printed): (Value, &str),
        metrics: &MetricValues,
    ) -> anyhow::Result<()> {
        let Started {
            run: Some(run),
            mut record,
            ..
        } = self.started
        else {
            return Ok(());
        };
        Skipped::of(&run, data)?.list()?;
        let judged = verdict.as_object().is_some_and(|verdict| !verdict.is_empty());
        let mut result = verdict;
        let result = result.as_object_mut().context("a verdict is a table")?;
        result.insert("seed".into(), experiment.seed.into());
        result.insert("epochs".into(), experiment.train.epochs.into());
        result.insert("seconds".into(), self.seconds.into());
        let segments = record.as_mut().map(Ongoing::end).transpose()?;
        result.insert("segments".into(), json!(segments));
        run.write_result(result)?;
        self.trackers.borrow_mut().end(Ending::Finished(metrics));
        let worth = match judged {
            true => "; the results are in result.json",
            false => "",
        };
        tracing::info!("finished after {:.0} s of training{worth}", self.seconds);
        writeln!(std::io::stdout(), "{printed}run directory: {}", run.path().display())?;
        Ok(())
    }
}
