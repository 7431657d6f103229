//! The kind of part `evaluation`: what a frozen encoder is worth on a task with data of its own.

use crate::{Modality, Result, Samples};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use tch::Tensor;

/// A task that judges a frozen encoder, such as semantic textual similarity.
///
/// An experiment names those that are run after training (`evaluations = [{ name = "...", ... }]`), and `fmicl eval RUN
/// --on NAME` runs one by itself.
pub trait Evaluation: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// What the encoder must read.
    fn modality(&self) -> Modality;

    /// Reads the task's data, so that a run of days does not end with an error that could be known before.
    ///
    /// # Errors
    /// What is wrong with the data.
    fn open(&self) -> Result<Box<dyn Task>>;

    /// Writes a tiny task below `folder` and returns the options that read it, for tests and for whoever has not the real
    /// data.
    ///
    /// # Errors
    /// The disk's.
    fn example(&self, folder: &Path) -> Result<toml::Table>;
}

crate::kind!(Evaluation, "evaluation");

/// From samples to the frozen encoder's features `[N, d]`, f32 in main memory, in the samples' order, not normalised.
pub type Encode<'a> = dyn Fn(Arc<dyn Samples>) -> Result<Tensor> + 'a;

/// An evaluation whose data are read.
pub trait Task: Send + Sync {
    /// Judges an encoder.
    ///
    /// # Errors
    /// A sample that cannot be read.
    fn judge(&self, encode: &Encode) -> Result<Report>;
}

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What was measured and on what, in a line.
    pub title: String,
    /// The figures, in the order in which they are shown.
    pub figures: Vec<Figure>,
    /// How they were obtained, a sentence each.
    pub notes: Vec<String>,
    /// What the encoder is worth in one number, the more the better: a run keeps the checkpoint where it was highest.
    pub score: f64,
}

/// A named number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Such as `STS-B`.
    pub name: String,
    /// In the unit that the report's title says.
    pub value: f64,
    /// Digits after the point that mean something.
    pub digits: usize,
}
