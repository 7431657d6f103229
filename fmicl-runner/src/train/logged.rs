//! A line of `steps.jsonl`, beside the same step taken again.

use super::trainer::Trainer;
use crate::run::provenance::Segment;
use fmicl_core::{Error, Result, open_file};
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The numbers of a step in `steps.jsonl`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Logged {
    step: u64,
    lr: f64,
    loss: f64,
    grad_norm: f64,
}

impl Logged {
    /// The line of a step in the directory of a run, if it has one.
    ///
    /// # Errors
    /// The disk's.
    pub fn read(run: &Path, step: u64) -> Result<Option<Self>> {
        let path = run.join("steps.jsonl");
        if !path.exists() {
            return Ok(None);
        }
        for line in BufReader::new(open_file(&path, "")?).lines() {
            let line = line.map_err(|error| Error::io(&path, error))?;
            // A loss that was not finite has no form in JSON: of that step there is nothing to compare.
            match serde_json::from_str::<Logged>(&line) {
                Ok(logged) if logged.step == step => return Ok(Some(logged)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The step that a trainer took last, where it was looked at.
    pub fn of(trainer: &Trainer) -> Option<Self> {
        let (loss, grad_norm) = trainer.state.watch.last()?;
        // Of a step that failed nothing is counted.
        (trainer.state.standing.step > 0).then_some(())?;
        Some(Logged {
            step: trainer.state.standing.step,
            lr: trainer.last_lr().ok()?,
            loss: loss / trainer.plan.experiment.train.accumulate as f64,
            grad_norm,
        })
    }

    /// The line beside the step as it is now, in a sentence; where they differ, what of the program and the machine does.
    pub fn beside(&self, now: &Self, (then, here): (&Segment, &Segment)) -> String {
        let Logged {
            lr, loss, grad_norm, ..
        } = self;
        let told = format!("loss {loss}, gradient norm {grad_norm}, learning rate {lr}");
        if self == now {
            return format!("equal to steps.jsonl: {told}");
        }
        let pairs = then.decisive().into_iter().zip(here.decisive());
        let others: Vec<_> = pairs
            .filter(|(then, here)| then != here)
            .map(|((name, then), (_, here))| format!("{name} {then}, and here {here}"))
            .collect();
        let why = match others.is_empty() {
            true => "program and machine are the same: a sample may have been overwritten".into(),
            false => format!("it was taken with {}", others.join("; with ")),
        };
        format!(
            "differs from steps.jsonl: {told} there, but here loss {}, gradient norm {}, learning rate {}; {why}",
            now.loss, now.grad_norm, now.lr
        )
    }
}
