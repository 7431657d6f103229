//! Losses and gradients that are not numbers: which step was the first, and on which samples.

use crate::Precision;
use crate::config::Experiment;
use crate::run::RunDir;
use crate::shell;
use fmicl_core::tch::{Kind, Tensor};
use fmicl_core::{Error, Result};
use serde::Serialize;
use std::fmt;

/// Where the samples of a step that was not finite are written.
const DIVERGED: &str = "diverged.json";

/// The steps since the last look. Their losses and norms stay on the device: no step waits for it.
#[derive(Default)]
pub struct Watch {
    taken: Vec<Taken>,
    /// Loss and norm of the gradients of the last step that was looked at.
    last: Option<(f64, f64)>,
}

struct Taken {
    step: u64,
    indices: Vec<usize>,
    loss: Tensor,
    grad_norm: Tensor,
}

/// A step whose loss or gradient is not finite; an error, and the file `diverged.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Diverged {
    /// Counted from 1.
    pub step: u64,
    /// Counted from 1.
    pub epoch: usize,
    /// Its loss, as a text: JSON has no word for it.
    pub loss: String,
    /// The norm of all its gradients, before clipping.
    pub grad_norm: String,
    /// Parts that computed them.
    pub parts: String,
    /// The norm of the gradients of the step before it, where that was looked at.
    pub grad_norm_before: Option<f64>,
    /// The samples of its batches, as the dataset numbers them.
    pub samples: Vec<usize>,
}

impl Watch {
    /// A step that was taken, on the samples `indices`.
    pub fn note(&mut self, step: u64, indices: Vec<usize>, loss: Tensor, grad_norm: &Tensor) {
        self.taken.push(Taken {
            step,
            indices,
            loss,
            grad_norm: grad_norm.shallow_clone(),
        });
    }

    /// The loss, summed over its batches, and the norm of the gradients of the last step that was looked at.
    pub fn last(&self) -> Option<(f64, f64)> {
        self.last
    }

    /// Waits for the device, and looks at the steps since the last look.
    ///
    /// # Errors
    /// The first step that is not finite is `Ok(Some)`; libtorch's are errors.
    pub fn look(&mut self, experiment: &Experiment, steps_per_epoch: u64) -> Result<Option<Diverged>> {
        let taken = std::mem::take(&mut self.taken);
        if taken.is_empty() {
            return Ok(None);
        }
        let read = |value: fn(&Taken) -> &Tensor| -> Result<Vec<f64>> {
            let all: Vec<_> = taken.iter().map(value).collect();
            Ok(Vec::try_from(Tensor::stack(&all, 0).to_kind(Kind::Double))?)
        };
        let (losses, norms) = (read(|step| &step.loss)?, read(|step| &step.grad_norm)?);
        let before = self.last.map(|(_, norm)| norm);
        self.last = losses.last().copied().zip(norms.last().copied());
        let bad = losses
            .iter()
            .zip(&norms)
            .position(|(loss, norm)| !(loss.is_finite() && norm.is_finite()));
        Ok(bad.map(|index| Diverged {
            step: taken[index].step,
            epoch: ((taken[index].step - 1) / steps_per_epoch) as usize + 1,
            loss: losses[index].to_string(),
            grad_norm: norms[index].to_string(),
            parts: parts(experiment),
            grad_norm_before: match index {
                0 => before,
                index => Some(norms[index - 1]),
            },
            samples: taken[index].indices.clone(),
        }))
    }
}

impl Diverged {
    /// The likely cause, and what may help.
    fn advice(&self, experiment: &Experiment) -> String {
        let Experiment {
            train, objective, init, ..
        } = experiment;
        let bf16 = match train.precision {
            Precision::Bf16 => " or train.precision = \"f32\"",
            _ => "",
        };
        if self.step == 1 {
            let name = objective.name();
            let init = if init.is_some() {
                ", other weights than those of init"
            } else {
                ""
            };
            return format!(
                "no step had changed the weights yet, so train.lr is not the cause: try other options of the \
                 objective {name}{init}, or \
                 other samples{bf16}"
            );
        }
        let before = self.grad_norm_before.map_or(String::new(), |norm| {
            format!("the step before had gradients of norm {norm:.3e}; ")
        });
        let clip = match train.clip_grad_norm {
            Some(_) => "a lower train.clip_grad_norm",
            None => "a train.clip_grad_norm",
        };
        format!("{before}try a lower train.lr, a longer train.warmup_epochs or {clip}{bf16}")
    }
}

/// An error of training as the user sees it: of a step that is not finite, the file with its samples, the checkpoint before it
/// and what may help.
pub fn explain(error: anyhow::Error, run: Option<&RunDir>, experiment: &Experiment) -> anyhow::Error {
    let (Some(diverged), Some(run)) = (error.downcast_ref::<Diverged>(), run) else {
        return error;
    };
    if let Err(error) = run.write_json(DIVERGED, diverged) {
        return error.into();
    }
    let good = match run.last_checkpoint() {
        Ok(path) => format!("the last good checkpoint is {}", path.with_file_name("").display()),
        Err(_) => "there is no checkpoint before it".into(),
    };
    let (run, replay) = (run.path().display(), shell::word(run.path()));
    Error::Run(format!(
        "{diverged}; {good}; all samples are in {run}/{DIVERGED}; {}, and inspect it with: fmicl replay {replay} --step {}",
        diverged.advice(experiment),
        diverged.step
    ))
    .into()
}

/// The parts that a loss and its gradient come from.
fn parts(experiment: &Experiment) -> String {
    let kinds = [
        ("objective", format!("{:?}", experiment.objective)),
        ("architecture", experiment.architecture.name().to_string()),
        ("backbone", experiment.backbone.name().to_string()),
        ("optimizer", experiment.optimizer.name().to_string()),
    ];
    kinds.map(|(kind, name)| format!("{kind} {name}")).join(", ")
}

impl fmt::Display for Diverged {
    /// In a line, with the first few samples.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const NAMED: usize = 8;
        let Diverged {
            step,
            epoch,
            loss,
            grad_norm,
            parts,
            samples,
            ..
        } = self;
        let first: Vec<_> = samples.iter().take(NAMED).map(usize::to_string).collect();
        let more = match samples.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        write!(
            f,
            "the loss is {loss} and the norm of the gradients {grad_norm} at step {step} (epoch {epoch}), on the samples {}{more}; {parts}",
            first.join(", ")
        )
    }
}

impl std::error::Error for Diverged {}
