//! `fmicl eval`: what a frozen encoder is worth.

use super::refuse_both;
use crate::DeviceChoice;
use crate::cli::{Outcome, all, one};
use crate::config;
use crate::eval::{self, EvalOptions};
use crate::train::CheckpointChoice;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// The run directory that `train` wrote; with --on, a folder of published weights, too
    run: PathBuf,
    /// Evaluate by this alone, such as sts (`fmicl list evaluation`)
    #[arg(long, value_name = "EVALUATION")]
    on: Option<String>,
    /// Where its data are; short for --set data=DIR
    #[arg(long, value_name = "DIR", requires = "on")]
    data: Option<PathBuf>,
    /// Change the run's experiment where it may (eval.knn.k=20, dataset.root=DIR); with --on, an option of the evaluation, or
    /// of a folder's views or backbone (backbone.pooling=cls); may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Which of the run's checkpoints: last, best (in its online evaluation), step-N, or a path
    #[arg(long, value_name = "CHECKPOINT", default_value = "last")]
    checkpoint: CheckpointChoice,
    /// Print JSON, with all digits
    #[arg(long)]
    json: bool,
    /// auto, cpu or cuda:N, instead of the experiment's
    #[arg(long)]
    device: Option<DeviceChoice>,
}

/// Evaluates a run as its experiment says, or an encoder by one evaluation.
///
/// # Errors
/// Whatever stops the evaluation.
pub(crate) fn evaluate(args: EvalArgs) -> Outcome {
    let refuse_both =
        |key, short: Option<String>| refuse_both(&args.sets, key, short).map_err(|error| all(vec![error]));
    refuse_both("device", args.device.map(|device| device.to_string()))?;
    refuse_both("data", args.data.as_ref().map(|data| data.display().to_string()))?;
    let options = |sets| EvalOptions {
        sets,
        checkpoint: args.checkpoint,
        json: args.json,
        device: args.device,
    };
    let Some(evaluation) = args.on else {
        return eval::run(&args.run, &options(args.sets)).map_err(one);
    };
    let (folder, mut sets): (Vec<_>, Vec<_>) = args.sets.into_iter().partition(|set| is_of_a_folder(set));
    let data = args
        .data
        .map(|data| format!("data={}", toml::Value::from(&*data.to_string_lossy())));
    sets.extend(data);
    let evaluation = config::load_part(&evaluation, &sets).map_err(|error| all(vec![error]))?;
    eval::run_on(&args.run, &evaluation, &options(folder)).map_err(one)
}

/// Whether a `key=value` is for the parts that read a folder of weights.
fn is_of_a_folder(set: &str) -> bool {
    let part = config::key_of(set).split('.').next();
    part.is_some_and(|part| ["views", "backbone"].contains(&part))
}
