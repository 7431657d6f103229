//! `fmicl eval`: what a frozen encoder is worth.

use crate::DeviceChoice;
use crate::command::{Command, Group, Outcome, refuse_both};
use crate::config;
use crate::eval::{self, EvalOptions};
use crate::run::{CheckpointChoice, RunDir};
use clap::Args;
use fmicl_core::{Result, registry};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
struct Eval {
    /// The run directory that `train` wrote; with --on, a folder of published weights, too
    run: PathBuf,
    /// Run only this evaluation, such as sts (`fmicl list evaluation`), with the run's own options for it if it has some
    #[arg(long, value_name = "EVALUATION")]
    on: Option<String>,
    /// The folder of its data; short for --set data=DIR
    #[arg(long, value_name = "DIR", requires = "on")]
    data: Option<PathBuf>,
    /// Change an option of the run's dataset or evaluations (dataset.root=DIR, evaluations.knn.k=20); with --on, an option of the
    /// evaluation, or of a folder's views or backbone (backbone.pooling=cls); may be repeated
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

crate::command!("eval", Eval, Group::Evaluate, "Evaluate the encoder of a run directory");

impl Command for Eval {
    /// Evaluates a run as its experiment says, or an encoder by one evaluation.
    fn run(self) -> Outcome {
        let given = |key, short| refuse_both(&self.sets, key, short);
        given("device", self.device.map(|device| device.to_string()))?;
        given("data", self.data.as_ref().map(|data| data.display().to_string()))?;
        let options = |sets| EvalOptions {
            sets,
            checkpoint: self.checkpoint,
            json: self.json,
            device: self.device,
        };
        let Some(evaluation) = self.on else {
            return Ok(eval::run(&self.run, &options(self.sets))?);
        };
        let (folder, mut sets): (Vec<_>, Vec<_>) = self.sets.into_iter().partition(|set| is_of_a_folder(set));
        let data = self
            .data
            .map(|data| format!("data={}", toml::Value::from(&*data.to_string_lossy())));
        sets.extend(data);
        let evaluation = match own_options(&self.run, &evaluation)? {
            Some((config, own)) => config::change_part(&config, own, &sets)?,
            None => config::load_part(&evaluation, &sets)?,
        };
        Ok(eval::run_on(&self.run, &evaluation, &options(folder))?)
    }
}

/// The options that a run's own experiment has for an evaluation, and the file that says so.
fn own_options(path: &Path, evaluation: &str) -> Result<Option<(PathBuf, toml::Table)>> {
    let Ok(run) = RunDir::open(path) else {
        // It may be a folder of published weights.
        return Ok(None);
    };
    let experiment = run.experiment()?;
    let mut own = experiment.evaluations.iter().filter(|(name, _)| *name == evaluation);
    let options = own.next().map(|(_, part)| registry::write_options(part)).transpose()?;
    Ok(options.map(|options| (run.config_path(), options)))
}

/// Returns true if a `key=value` is for the parts that read a folder of weights.
fn is_of_a_folder(set: &str) -> bool {
    let part = config::key_of(set).split('.').next();
    part.is_some_and(|part| ["views", "backbone"].contains(&part))
}
