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
use std::path::Path;
use std::sync::Arc;

/// Evaluates the run in a directory that [`train`](crate::train::run) wrote, from its last checkpoint; `device`
/// replaces the experiment's. Prints the table and writes it to `eval.json`.
///
/// # Errors
/// Whatever stops the evaluation.
pub fn run(run: &Path, device: Option<DeviceChoice>) -> anyhow::Result<()> {
    let run = RunDir::open(run)?;
    let experiment = config::load(&run.config_path(), &[])?;
    let device = device.unwrap_or(experiment.device).resolve()?;
    let data = Splits::open(&experiment)?;
    let mut model = Model::build(&experiment, device)?;
    let checkpoint = run.last_checkpoint()?;
    model.load(&checkpoint)?;
    let comparison = compare(&experiment, &data, &model, device)?;
    run.write_json("eval.json", &comparison)?;
    print!("{comparison}");
    println!("checkpoint: {}", checkpoint.display());
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
    let rows = vec![
        ("raw pixels", judge(&|view| view.input.flatten(1, -1))?),
        (
            "untrained encoder",
            judge(&|view| untrained.learner.encoder().forward(view, false))?,
        ),
        (
            "trained encoder",
            judge(&|view| trained.learner.encoder().forward(view, false))?,
        ),
    ];
    Ok(Comparison::new(experiment, data.train.len(), data.test.len(), rows))
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
