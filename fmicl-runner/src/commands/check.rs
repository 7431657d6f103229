//! `fmicl check`: everything about an experiment that can be known before training.

mod files;
mod model;

use super::ExperimentArgs;
use crate::command::{Command, Group, Outcome};
use crate::config::Experiment;
use crate::data::Splits;
use crate::eval;
use crate::{train, wrap};
use clap::Args;
use fmicl_core::tch::Device;
use fmicl_core::{Error, MetricNames, Result};
use model::Model;
use std::fmt;

#[derive(Debug, Args)]
struct Check {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Read every sample too, and name those that cannot be read
    #[arg(long)]
    files: bool,
}

crate::command!(
    "check",
    Check,
    Group::Inspect,
    "Check all of an experiment that can be known before training"
);

impl Command for Check {
    fn run(self) -> Outcome {
        Ok(check(&self)?)
    }
}

/// Prints a short summary; with `files` every sample is read first.
fn check(args: &Check) -> Result<(), Vec<Error>> {
    let experiment = args.experiment.load()?;
    let opened = Opened::open(&experiment)?;
    // Before the model takes two of them: all that cannot be read are named.
    let read = match args.files {
        true => files::read_all(&experiment, &opened.data)?,
        false => "not read; `check --files` reads every one".into(),
    };
    let Checked { mut lines, data, .. } = opened.tried(&experiment)?;
    lines.push(("samples", read));
    lines.extend(data.notes(&experiment).into_iter().map(|note| ("note", note)));
    let lines: Vec<_> = lines.iter().map(line).collect();
    let given = experiment.given().map_err(|error| vec![error])?;
    let given: String = given.iter().map(|given| format!("    {given}\n")).collect();
    let text = format!(
        "{}: ready to train\n{}\n  options that are not at their defaults:\n{given}",
        args.experiment.path.display(),
        lines.join("\n")
    );
    wrap::print(&text, 4).map_err(|error| vec![Error::io("stdout", error)])
}

/// Everything that is known of an experiment before training.
pub struct Checked {
    lines: Vec<Line>,
    data: Splits,
    terms: Vec<&'static str>,
}

impl Checked {
    /// The names of the metrics of each evaluation after training.
    pub fn of_evaluations(&self) -> Vec<(&str, MetricNames)> {
        self.data.metrics(false)
    }

    /// The names of the metrics of an epoch of training.
    pub fn of_training(&self) -> impl Iterator<Item = &'static str> {
        let of_epochs = train::EPOCH_METRICS.into_iter().chain(train::SOME_EPOCHS_METRICS);
        of_epochs.chain(self.terms.iter().copied())
    }
}

/// A summary in a few lines.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.lines.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

fn line((key, value): &Line) -> String {
    format!("  {key:<9} {value}")
}

/// A line of a summary: its key, and the rest.
type Line = (&'static str, String);

/// Checks all of an experiment that can be known before training.
///
/// # Errors
/// Everything that is wrong with it.
pub fn checked(experiment: &Experiment) -> Result<Checked, Vec<Error>> {
    Opened::open(experiment)?.tried(experiment)
}

/// What an experiment names, opened and built, before a sample is read.
struct Opened {
    device: Device,
    data: Splits,
    model: Model,
}

impl Opened {
    fn open(experiment: &Experiment) -> Result<Self, Vec<Error>> {
        let mut problems = Vec::new();
        let device = experiment
            .device
            .resolve()
            .and_then(|device| experiment.train.precision.on(device));
        let device = keep(device, experiment, &mut problems);
        let data = keep(Splits::open_to_train(experiment), experiment, &mut problems);
        let model = keep(Model::build(experiment), experiment, &mut problems);
        match (device, data, model) {
            (Some(device), Some(data), Some(model)) => Ok(Opened { device, data, model }),
            _ => Err(problems),
        }
    }

    fn tried(self, experiment: &Experiment) -> Result<Checked, Vec<Error>> {
        let Opened {
            device,
            data,
            mut model,
        } = self;
        let width = model.learner.encoder().width();
        let need = eval::require_room(&data, width, device).map_err(|error| vec![experiment.locate(error)])?;
        let steps = model.dry_run(experiment, &data.pretrain);
        let (steps, terms) = steps.map_err(|error| vec![experiment.locate(error)])?;
        let lines = summary(
            experiment,
            &data,
            &model,
            (steps, device, need.map(|need| need.to_string())),
        );
        Ok(Checked { lines, data, terms })
    }
}

/// A line for each part of an experiment, whose epochs have so many `steps`, and whose evaluation takes `need`.
fn summary(
    experiment: &Experiment,
    data: &Splits,
    model: &Model,
    (steps, device, need): (usize, Device, Option<String>),
) -> Vec<Line> {
    let init = match &model.init {
        Some(init) => format!(" from {init}"),
        None => String::new(),
    };
    let labels = data.labelled.as_ref().map_or(String::new(), |labelled| {
        let classes = labelled.train.classes();
        let (train, test) = (labelled.train.len(), labelled.test.len());
        format!(", {train} and {test} with labels of {classes} classes")
    });
    let (name, count) = (experiment.dataset.name(), data.pretrain.len());
    let modality = experiment.dataset.modality();
    let mut lines = vec![("dataset", format!("{name}: {count} {modality} to train on{labels}"))];
    let views = experiment.views.summary();
    if !views.is_empty() {
        lines.push(("views", views));
    }
    let (backbone, architecture) = (experiment.backbone.name(), experiment.architecture.name());
    let (parameters, width) = (model.parameters, model.learner.encoder().width());
    lines.push((
        "model",
        format!("{backbone} in {architecture}: {parameters} parameters, {width} features{init}"),
    ));
    lines.extend(experiment.why().map(|why| ("default", why)));
    let epochs = experiment.train.epochs;
    lines.push(("training", format!("{epochs} epochs of {steps} steps on {device:?}")));
    lines.extend(need.map(|need| ("memory", format!("evaluation takes {need}"))));
    lines
}

/// The value, or its error among the problems.
fn keep<T>(result: Result<T>, experiment: &Experiment, problems: &mut Vec<Error>) -> Option<T> {
    result.map_err(|error| problems.push(experiment.locate(error))).ok()
}

#[cfg(test)]
mod tests;
