//! Judging the encoder of a finished run as its experiment says.

use super::{compare, require_alone, require_room};
use crate::DeviceChoice;
use crate::data::Splits;
use crate::run::provenance::{self, Computing, Segment};
use crate::run::{CheckpointChoice, RunDir};
use crate::together::{Together, require_alike};
use fmicl_core::Error;
use fmicl_core::tch;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;
use std::io::Write;
use std::path::Path;

/// Options of the command line for the evaluation of a run, beside its config.
#[derive(Debug, Clone, Default)]
pub struct EvalOptions {
    /// Changes, each a `key=value`, of the run's experiment.
    pub sets: Vec<String>,
    /// Checkpoint of the run.
    pub checkpoint: CheckpointChoice,
    /// Prints JSON rather than a table.
    pub json: bool,
    /// Device; by default the experiment's.
    pub device: Option<DeviceChoice>,
}

/// Evaluates the run in a directory that [`train`](crate::train::run) wrote. Prints what it found, as JSON or as a table, and
/// writes it to `eval.json`, with the checkpoint, what was changed and left out, and the program and machine. Where there are several processes, they divide the
/// work; the first one writes and speaks for all.
///
/// # Errors
/// Whatever stops the evaluation.
pub fn run(run: &Path, options: &EvalOptions) -> anyhow::Result<()> {
    let run = RunDir::open(run)?;
    let experiment = run.experiment_with(&options.sets)?;
    let device = options.device;
    let together = Together::to_use(Some(&experiment), device)?;
    provenance::begin_sha256();
    together.run(|device, processes| {
        require_alike(&**processes, &RunDir::table_of(&experiment)?)?;
        let it = run.restore(experiment, device, &options.checkpoint)?;
        let mut segment = Segment::begin(&Computing {
            step: it.step,
            device: &format!("{device:?}"),
            threads: tch::get_num_threads(),
            processes: processes.size(),
            train: None,
            steps: None,
        });
        it.model.share(&**processes, |_| true)?;
        let data = Splits::open(&it.experiment).map_err(|error| it.experiment.locate(error))?;
        if !data.judge_encoders() {
            return Err(Error::Run(
                "this run has no evaluation: its experiment has no `evaluations` for its dataset; name one with --on (fmicl list \
                 evaluation)"
                    .into(),
            )
            .into());
        }
        let differs = run.differs(&data.pretrain.portions());
        if let (Some(differs), 0) = (&differs, processes.rank()) {
            tracing::warn!("{differs}: not what the run was trained on");
        }
        require_alone(&data, &**processes).map_err(|error| it.experiment.locate(error))?;
        require_room(&data, it.model.learner.encoder().width(), device).map_err(|error| it.experiment.locate(error))?;
        let evaluated = compare(&it.experiment, &data, &it.model, device, processes)?;
        if processes.rank() > 0 {
            return Ok(());
        }
        // Printed first: the directory may be one that may only be read.
        let mut found = print(options.json, &evaluated, ("checkpoint", &it.checkpoint))?;
        if let Some(found) = found.as_object_mut() {
            found.insert("set".into(), json!(options.sets));
            found.insert("not_as_trained".into(), json!(differs));
            found.insert("left_out".into(), json!(data.left_out.take()));
            segment.end_now();
            found.insert("segment".into(), json!(segment));
        }
        Ok(run.write_json("eval.json", &found)?)
    })
}

/// Prints what was found, as JSON with all digits or as text, and the file that the weights come from; the JSON in any case.
fn print(as_json: bool, found: impl Serialize + fmt::Display, weights: (&str, &Path)) -> anyhow::Result<Value> {
    let (key, path) = (weights.0, weights.1.display().to_string());
    let mut json = json!(found);
    if let Some(json) = json.as_object_mut() {
        json.insert(key.into(), path.as_str().into());
    }
    match as_json {
        true => writeln!(std::io::stdout(), "{json:#}")?,
        false => writeln!(std::io::stdout(), "{found}{key}: {path}")?,
    }
    Ok(json)
}
