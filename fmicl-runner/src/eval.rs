//! Evaluation of a frozen encoder beside raw pixels and the encoder before training.

mod encode;
mod geometry;
mod judge;
mod knn;
mod lbfgs;
mod linear;
mod table;

pub use encode::Features;
pub use geometry::{alignment, effective_rank, uniformity};
pub use judge::{Accuracy, DRAWS, FEW, Judged, Online};
pub use knn::knn;
pub use linear::linear;
pub use table::Comparison;

use crate::DeviceChoice;
use crate::config::{self, Experiment};
use crate::data::Splits;
use crate::train::{Model, RunDir};
use fmicl_core::Samples;
use fmicl_core::tch::Device;
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
    let experiment = config::load(&run.config_path(), &[])?;
    let device = device.unwrap_or(experiment.device).resolve()?;
    let data = Splits::open(&experiment).map_err(|error| experiment.locate(error))?;
    let mut model = Model::build(&experiment, device)?;
    let checkpoint = run.last_checkpoint()?;
    model.load(&checkpoint)?;
    let comparison = compare(&experiment, &data, &model, device)?;
    run.write_json("eval.json", &comparison)?;
    writeln!(std::io::stdout(), "{comparison}checkpoint: {}", checkpoint.display())?;
    Ok(())
}

/// Judges raw pixels, the encoder as it was before training (made again from the seed), and the trained one.
///
/// # Errors
/// An image that cannot be read.
pub fn compare(experiment: &Experiment, data: &Splits, trained: &Model, device: Device) -> anyhow::Result<Comparison> {
    let untrained = Model::build(experiment, device)?;
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
    rows.push((
        "untrained encoder",
        judge(&|view| untrained.learner.encoder().forward(view, false))?,
    ));
    rows.push((
        "trained encoder",
        judge(&|view| trained.learner.encoder().forward(view, false))?,
    ));
    Ok(Comparison::new(experiment, data, rows))
}

/// kNN and linear probe of the model as it is, with all labels: the online evaluation.
///
/// # Errors
/// An image that cannot be read.
pub fn online(experiment: &Experiment, data: &Splits, model: &Model, device: Device) -> anyhow::Result<Online> {
    let encode = |samples: &Arc<dyn Samples>| {
        encode::features(experiment, samples, device, &|view| {
            model.learner.encoder().forward(view, false)
        })
    };
    let (train, test) = (encode(&data.train)?, encode(&data.test)?);
    Ok(Online::new(&experiment.eval, &train, &test, data.train.classes()))
}
