//! Evaluation of a frozen encoder beside raw pixels and the encoder before training.

mod encode;
mod geometry;
mod judge;
mod knn;
mod lbfgs;
mod linear;
mod table;

pub use encode::Features;
pub(crate) use encode::require_finite;
pub use geometry::{alignment, effective_rank, uniformity};
pub use judge::{Accuracy, DRAWS, FEW, Judged, Online};
pub use knn::knn;
pub use linear::linear;
pub use table::Comparison;

use crate::DeviceChoice;
use crate::config::Experiment;
use crate::data::Splits;
use crate::train::{Model, RunDir};
use fmicl_core::tch::Device;
use fmicl_core::{Samples, View};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Raw pixels are judged up to this size of the training split; the probe needs several times as much.
const MOST_PIXELS: u64 = 1 << 30;

/// Evaluates the run in a directory that [`train`](crate::train::run) wrote, from its last checkpoint; `device`
/// replaces the experiment's. Prints the table and writes it to `eval.json`.
///
/// # Errors
/// Whatever stops the evaluation.
pub fn run(run: &Path, device: Option<DeviceChoice>) -> anyhow::Result<()> {
    let run = RunDir::open(run)?;
    let it = run.restore(device)?;
    let data = Splits::open(&it.experiment).map_err(|error| it.experiment.locate(error))?;
    let comparison = compare(&it.experiment, &data, &it.model, it.device)?;
    run.write_json("eval.json", &comparison)?;
    writeln!(std::io::stdout(), "{comparison}checkpoint: {}", it.checkpoint.display())?;
    Ok(())
}

/// Judges raw pixels, the encoder as it was before training (made again from the seed, or with the weights of `init`),
/// and the trained one.
///
/// # Errors
/// An image that cannot be read.
pub fn compare(experiment: &Experiment, data: &Splits, trained: &Model, device: Device) -> anyhow::Result<Comparison> {
    let untrained = Model::build(experiment, device)?;
    let before = match untrained.init {
        Some(_) => "initial encoder",
        None => "untrained encoder",
    };
    let judge = |encode: &encode::Encode| -> anyhow::Result<Judged> {
        let train = encode::features(experiment, &data.train, device, encode)?;
        let test = encode::features(experiment, &data.test, device, encode)?;
        Ok(judge::judge(&experiment.eval, &train, &test, data.train.classes()))
    };
    let mut rows = Vec::new();
    let pixel_bytes = data.train.len() as u64 * experiment.views.numel() as u64 * 4;
    if pixel_bytes <= MOST_PIXELS {
        rows.push(("raw pixels", judge(&|view| view.input.flatten(1, -1))?));
    } else {
        tracing::warn!(
            "raw pixels are not judged: the training split has {} GiB of them",
            pixel_bytes >> 30
        );
    }
    for (name, model) in [(before, &untrained), ("trained encoder", trained)] {
        rows.push((name, judge(&|view| model.learner.encoder().forward(view, false))?));
    }
    Ok(Comparison::new(experiment, data, rows))
}

/// kNN and linear probe of the model as it is, with all labels: the online evaluation.
///
/// # Errors
/// An image that cannot be read.
pub fn online(experiment: &Experiment, data: &Splits, model: &Model, device: Device) -> anyhow::Result<Online> {
    let train = features(experiment, &data.train, model, device)?;
    let test = features(experiment, &data.test, model, device)?;
    Ok(Online::new(&experiment.eval, &train, &test, data.train.classes()))
}

/// The features of every sample in order, without augmentation.
///
/// # Errors
/// An image that cannot be read, or features that are not finite.
pub fn features(
    experiment: &Experiment,
    samples: &Arc<dyn Samples>,
    model: &Model,
    device: Device,
) -> fmicl_core::Result<Features> {
    let encode = |view: &View| model.learner.encoder().forward(view, false);
    encode::features(experiment, samples, device, &encode)
}
