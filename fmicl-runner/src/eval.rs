//! Evaluation of a frozen encoder beside raw pixels and the encoder before training.

mod encode;
mod judged;
mod judging;
mod labels;
mod memory;
mod subject;

pub use encode::{Encoded, Reader, require_finite};
pub use judged::{Judged, Reports};
pub use labels::Labels;
pub(crate) use memory::require_room;
pub use subject::{Folder, Origin, Subject};

use crate::DeviceChoice;
use crate::config::Experiment;
use crate::data::{Labelled, Opened, Splits};
use crate::run::provenance::{self, Computing, Segment};
use crate::run::{CheckpointChoice, Model, RunDir};
use crate::together::{Together, require_alike};
use encode::Encode;
use fmicl_core::registry;
use fmicl_core::tch::{self, Device};
use fmicl_core::{Error, Evaluation, Part, Processes, Samples, Single, View, WithoutTf32};
use fmicl_data::OnError;
use judging::Judging;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Raw pixels are judged up to this size of the training split.
const MOST_PIXELS: u64 = 1 << 30;

/// The representation that a run is about.
pub const TRAINED: &str = "trained encoder";

/// Everything that was found out about a run's encoder.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Evaluated {
    /// The labelled data, where an evaluation asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// The reports of the experiment's evaluations.
    #[serde(skip_serializing_if = "Reports::is_empty")]
    pub reports: Reports,
}

impl fmt::Display for Evaluated {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(labels) = &self.labels {
            writeln!(f, "{labels}")?;
        }
        match self.reports.is_empty() {
            true => Ok(()),
            false => write!(f, "{}", self.reports),
        }
    }
}

impl Evaluated {
    /// Adds the reports of evaluations of one more representation.
    fn add<'a>(
        &mut self,
        dataset: &str,
        (representation, it): (&str, &Judging),
        (data, tasks): (Option<&Splits>, impl Iterator<Item = &'a Opened>),
    ) -> fmicl_core::Result<()> {
        for opened in tasks {
            self.reports.0.push(it.judge(opened, representation)?);
        }
        if let (None, Some((features, unreadable)), Some(data)) = (&self.labels, it.seen(), data)
            && let Some(labelled) = &data.labelled
        {
            self.labels = Some(Labels::new(dataset, data, labelled, features, unreadable));
        }
        Ok(())
    }
}

/// How an encoder is evaluated, beside what its run or folder says.
#[derive(Debug, Clone, Default)]
pub struct EvalOptions {
    /// Changes, each a `key=value`, of a run's experiment, or of a folder's views and backbone.
    pub sets: Vec<String>,
    /// Which of a run's checkpoints.
    pub checkpoint: CheckpointChoice,
    /// Prints JSON rather than a table.
    pub json: bool,
    /// Instead of the experiment's.
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

/// Judges one encoder, a run's or a folder's of published weights, by an evaluation of its own, and prints its report. Where
/// there are several processes, they divide the work, and the first one prints.
///
/// # Errors
/// Whatever stops the evaluation.
pub fn run_on(path: &Path, evaluation: &Part<dyn Evaluation>, options: &EvalOptions) -> anyhow::Result<()> {
    let origin = Origin::find(path, &options.sets, &options.checkpoint)?;
    origin.meet(options.device)?.run(|device, processes| {
        let mut table = origin.table()?;
        table.insert("evaluation".into(), registry::write_options(evaluation)?.into());
        require_alike(&**processes, &table)?;
        let labelled = match evaluation.wants_labels() {
            true => Some(origin.labelled(evaluation.name())?),
            false => None,
        };
        let (dataset, data) = labelled.unzip();
        let subject = origin.open(device, processes)?;
        if let Some(modality) = evaluation.modality() {
            subject.require(evaluation.name(), modality)?;
        }
        let opened = Opened::open(evaluation.name(), evaluation)?;
        let encode = |view: &View| subject.encode(view);
        let it = Judging::new(&subject.reader, &encode, data.as_ref());
        let mut evaluated = Evaluated::default();
        evaluated.add(
            dataset.unwrap_or_default(),
            ("encoder", &it),
            (data.as_ref(), [&opened].into_iter()),
        )?;
        match processes.rank() {
            0 => print(options.json, evaluated, ("weights", &subject.weights)).map(drop),
            _ => Ok(()),
        }
    })
}

/// No others to evaluate with.
pub fn alone() -> Rc<dyn Processes> {
    Rc::new(Single {})
}

/// Judges raw pixels, the encoder as it was before training (made again from the seed, or with the weights that it
/// started with), and the trained one. Of several processes each has the same reports.
///
/// # Errors
/// A sample that cannot be read.
pub fn compare(
    experiment: &Experiment,
    data: &Splits,
    trained: &Model,
    device: Device,
    processes: &Rc<dyn Processes>,
) -> anyhow::Result<Evaluated> {
    let _exact = WithoutTf32::new();
    let (untrained, before) = before_training(experiment, device)?;
    untrained.share(&**processes, |_| true)?;
    let reader = Reader::of(experiment, device, processes);
    let dataset = experiment.dataset.name();
    let mut evaluated = Evaluated::default();
    let mut judge = |representation, encode: &Encode, by_labels: bool| {
        // The features of one representation are gone before those of the next are made.
        let it = Judging::new(&reader, encode, Some(data));
        let tasks = data.tasks.iter();
        let tasks = tasks.filter(|opened| !by_labels || opened.evaluation.wants_labels());
        evaluated.add(dataset, (representation, &it), (Some(data), tasks))
    };
    if let (Some((_, labelled)), Some(width)) = (data.by_labels().next(), data.raw_width()?) {
        let bytes = raw_bytes(width, labelled);
        if bytes <= MOST_PIXELS {
            judge("raw pixels", &|view| raw(experiment, view), true)?;
        } else {
            tracing::warn!(
                "raw pixels are not evaluated: the training split has {} GiB of them",
                bytes >> 30
            );
        }
    }
    for (representation, model) in [(before, &untrained), (TRAINED, trained)] {
        judge(representation, &encoder_of(model), false)?;
    }
    Ok(evaluated)
}

/// The model before training, made again from the seed or with the weights that it started with, and its name among
/// representations.
///
/// # Errors
/// Those of [`Model::build`].
pub fn before_training(experiment: &Experiment, device: Device) -> fmicl_core::Result<(Model, &'static str)> {
    let model = Model::build(experiment, device)?;
    let name = match model.init.is_some() || experiment.backbone.is_pretrained() {
        true => "initial encoder",
        false => "untrained encoder",
    };
    Ok((model, name))
}

/// The reports of the model as it is, while training waits. Of several processes each has the same.
///
/// # Errors
/// A sample that cannot be read.
pub fn online(
    experiment: &Experiment,
    data: &Splits,
    model: &Model,
    device: Device,
    processes: &Rc<dyn Processes>,
) -> anyhow::Result<Reports> {
    let _exact = WithoutTf32::new();
    let reader = Reader::of(experiment, device, processes);
    let encode = encoder_of(model);
    let it = Judging::new(&reader, &encode, Some(data)).in_training();
    let reports = data.tasks.iter().map(|opened| it.judge(opened, "encoder"));
    Ok(Reports(reports.collect::<fmicl_core::Result<_>>()?))
}

/// The features of the samples that can be read, in order, without augmentation, and which could not.
///
/// # Errors
/// None that can be read, or features that are not finite.
pub fn features(
    experiment: &Experiment,
    samples: &Arc<dyn Samples>,
    model: &Model,
    device: Device,
) -> fmicl_core::Result<Encoded> {
    let reader = Reader::of(experiment, device, &alone());
    let encoded = reader.encode_those(samples, &encoder_of(model), OnError::Skip)?;
    if let [first, rest @ ..] = &encoded.unreadable[..] {
        let (count, of, error) = (rest.len() + 1, samples.len(), &first.error);
        tracing::warn!("{count} of {of} samples cannot be read and are left out, the first: {error}");
    }
    Ok(encoded)
}

fn encoder_of(model: &Model) -> impl Fn(&View) -> fmicl_core::tch::Tensor + '_ {
    |view| model.learner.encoder().forward(view, false)
}

/// What is in a view without any encoder. Asked for only where there is something.
fn raw(experiment: &Experiment, view: &View) -> fmicl_core::tch::Tensor {
    let nothing = || view.input.flatten(1, -1);
    experiment.views.raw(view).unwrap_or_else(nothing)
}

/// The size of the labelled training samples as they are, so many numbers each, in bytes.
fn raw_bytes(width: usize, labelled: &Labelled) -> u64 {
    4 * width as u64 * labelled.train.len() as u64
}
