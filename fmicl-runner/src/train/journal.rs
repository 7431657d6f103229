//! What a run writes down as it goes: `metrics.jsonl`, a line an epoch, and `steps.jsonl`, a line every `train.log_every`
//! steps.

use super::metrics::Metrics;
use crate::run::Lines;
use fmicl_core::{Error, Result, open_file};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;

const STEPS: &str = "steps.jsonl";

/// The files; by default there are none.
#[derive(Debug, Default)]
pub struct Journal {
    epochs: Lines,
    steps: Lines,
}

/// A line of `steps.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Counted from 1.
    pub epoch: usize,
    /// Counted from 1, since the start of the run.
    pub step: u64,
    /// The step's learning rate.
    pub lr: f64,
    /// Its loss.
    pub loss: f64,
    /// The norm of its gradients, before clipping.
    pub grad_norm: f64,
}

impl Step {
    /// The line of a step in the journal of the run in a directory, if it has one.
    ///
    /// # Errors
    /// The disk's.
    pub fn logged(run: &Path, step: u64) -> Result<Option<Self>> {
        let path = run.join(STEPS);
        if !path.exists() {
            return Ok(None);
        }
        for line in BufReader::new(open_file(&path, "")?).lines() {
            let line = line.map_err(|error| Error::io(&path, error))?;
            // A loss that was not finite has no form in JSON: of that step there is nothing to compare.
            match serde_json::from_str::<Step>(&line) {
                Ok(logged) if logged.step == step => return Ok(Some(logged)),
                _ => {}
            }
        }
        Ok(None)
    }
}

impl Journal {
    /// The files of a run in the directory `run` that stands after so many `epochs` and `steps`: what they hold beyond that
    /// will come again, and is cut off.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(run: &Path, epochs: usize, steps: u64) -> Result<Self> {
        let up_to = |key: &'static str, last: u64| move |line: &Value| line[key].as_u64().is_some_and(|at| at <= last);
        let (epoch_lines, found) = Lines::open(run.join("metrics.jsonl"), up_to("epoch", epochs as u64))?;
        if found < epochs {
            tracing::warn!("metrics.jsonl has lost lines: {found} are left of {epochs}");
        }
        Ok(Journal {
            epochs: epoch_lines,
            steps: Lines::open(run.join(STEPS), up_to("step", steps))?.0,
        })
    }

    /// An epoch is over.
    ///
    /// # Errors
    /// None of the disk's: see [`Lines::add`].
    pub fn epoch(&mut self, metrics: &Metrics) -> Result<()> {
        self.epochs.add(metrics)
    }

    /// A step was looked at.
    ///
    /// # Errors
    /// As [`epoch`](Journal::epoch).
    pub fn step(&mut self, step: &Step) -> Result<()> {
        self.steps.add(step)
    }

    /// That all of it is on the disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn flush(&mut self) -> Result<()> {
        self.epochs.flush()?;
        self.steps.flush()
    }
}
