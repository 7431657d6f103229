//! Evaluation of a frozen encoder beside raw pixels and the encoder before training.

mod encode;
mod judge;
mod knn;
mod lbfgs;
mod linear;
mod memory;
mod score;
mod subject;
mod table;
mod tasks;
mod tiles;
mod worth;

pub use encode::{Encoded, Features, Reader, require_finite};
pub use judge::{Accuracy, Balanced, DRAWS, FEW, Judged, Online};
pub use knn::knn;
pub use linear::linear;
pub(crate) use memory::require_room;
pub use score::{Largest, Score};
pub use subject::{Folder, Origin, Subject};
pub use table::{Comparison, Protocol, Row};
pub use tasks::{Evaluated, Figures, FiguresByName};
pub use worth::Worth;

use crate::DeviceChoice;
use crate::config::Experiment;
use crate::data::{Labelled, Splits};
use crate::left_out::Pass;
use crate::run::provenance::{self, Computing, Segment};
use crate::run::{CheckpointChoice, Model, RunDir};
use crate::together::{Together, require_alike};
use encode::Encode;
use fmicl_core::registry;
use fmicl_core::tch::{self, Device};
use fmicl_core::{Error, Evaluation, Part, Processes, Samples, Single, View, WithoutTf32};
use fmicl_data::{OnError, Unreadable};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Raw pixels are judged up to this size of the training split.
const MOST_PIXELS: u64 = 1 << 30;

/// Everything that was found out about a run's encoder.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// kNN and linear probe, where the dataset has labels.
    #[serde(rename = "evaluation", skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// The experiment's evaluations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<Evaluated>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(comparison) = &self.comparison {
            write!(f, "{comparison}")?;
        }
        self.evaluations
            .iter()
            .try_for_each(|evaluated| write!(f, "{evaluated}"))
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
                "nothing judges this run: its dataset has no labels, and its experiment no `evaluations`; name one by --on \
                 (fmicl list evaluation)"
                    .into(),
            )
            .into());
        }
        let differs = run.differs(&data.pretrain.portions());
        if let (Some(differs), 0) = (&differs, processes.rank()) {
            tracing::warn!("{differs}: not what the run was trained on");
        }
        require_room(&data, it.model.learner.encoder().width(), device).map_err(|error| it.experiment.locate(error))?;
        let verdict = compare(&it.experiment, &data, &it.model, device, processes)?;
        if processes.rank() > 0 {
            return Ok(());
        }
        // Printed first: the directory may be one that may only be read.
        let mut found = print(options.json, &verdict, ("checkpoint", &it.checkpoint))?;
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

/// Judges one encoder, a run's or a folder's of published weights, by an evaluation of its own, and prints the figures. Where
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
        let subject = origin.open(device, processes)?;
        subject.require(evaluation.name(), evaluation.modality())?;
        let task = evaluation.open()?;
        let mut evaluated = Evaluated::new(evaluation.name());
        let report = tasks::judge(&*task, &subject.reader, &|view| subject.encode(view))?;
        evaluated.add("encoder", report);
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
/// started with), and the trained one. Of several processes each has the same verdict.
///
/// # Errors
/// A sample that cannot be read.
pub fn compare(
    experiment: &Experiment,
    data: &Splits,
    trained: &Model,
    device: Device,
    processes: &Rc<dyn Processes>,
) -> anyhow::Result<Verdict> {
    let _exact = WithoutTf32::new();
    let untrained = Model::build(experiment, device)?;
    untrained.share(&**processes, |_| true)?;
    let before = match untrained.init.is_some() || experiment.backbone.is_pretrained() {
        true => "initial encoder",
        false => "untrained encoder",
    };
    let reader = Reader::of(experiment, device, processes);
    let models = [(before, &untrained), ("trained encoder", trained)];
    let mut verdict = Verdict {
        comparison: None,
        evaluations: Vec::new(),
    };
    for (name, task) in &data.tasks {
        let mut evaluated = Evaluated::new(name);
        for (representation, model) in models {
            evaluated.add(representation, tasks::judge(&**task, &reader, &encoder_of(model))?);
        }
        verdict.evaluations.push(evaluated);
    }
    let Some(labelled) = &data.labelled else {
        return Ok(verdict);
    };
    let mut protocol = None;
    let mut judge = |encode: &Encode| -> anyhow::Result<Judged> {
        let (train, lost_of_train) = read(&reader, data, ("train", &labelled.train), encode)?;
        let (test, lost_of_test) = read(&reader, data, ("test", &labelled.test), encode)?;
        protocol.get_or_insert_with(|| {
            let unreadable = data.distinct(&lost_of_train, &lost_of_test);
            Protocol::new(experiment, (data, labelled), unreadable, &train, &test)
        });
        Ok(judge::judge(&experiment.eval, train, &test, labelled.train.classes()))
    };
    let mut rows = Vec::new();
    let mut add = |representation, judged| rows.push(Row { representation, judged });
    if let Some(width) = data.raw_width()? {
        let bytes = raw_bytes(width, labelled);
        if bytes <= MOST_PIXELS {
            add("raw pixels", judge(&|view| raw(experiment, view))?);
        } else {
            tracing::warn!(
                "raw pixels are not judged: the training split has {} GiB of them",
                bytes >> 30
            );
        }
    }
    for (name, model) in models {
        add(name, judge(&encoder_of(model))?);
    }
    verdict.comparison = protocol.map(|protocol| Comparison {
        dataset: experiment.dataset.name().to_string(),
        protocol,
        rows,
    });
    Ok(verdict)
}

/// What the model is worth as it is: by kNN and a linear probe with all labels, where there are labels, and by the
/// experiment's evaluations. Of several processes each has the same figures.
///
/// # Errors
/// A sample that cannot be read.
pub fn online(
    experiment: &Experiment,
    data: &Splits,
    model: &Model,
    device: Device,
    processes: &Rc<dyn Processes>,
) -> anyhow::Result<Worth> {
    let _exact = WithoutTf32::new();
    let reader = Reader::of(experiment, device, processes);
    let mut worth = Worth::default();
    for (name, task) in &data.tasks {
        let mut evaluated = Evaluated::new(name);
        let report = tasks::judge(&**task, &reader, &encoder_of(model))?;
        worth.offer(report.score);
        evaluated.add("encoder", report);
        worth.evaluations.insert(name, evaluated.last());
    }
    if let Some(labelled) = &data.labelled {
        let (train, _) = read(&reader, data, ("train", &labelled.train), &encoder_of(model))?;
        let (test, _) = read(&reader, data, ("test", &labelled.test), &encoder_of(model))?;
        let online = Online::new(&experiment.eval, train, &test, labelled.train.classes());
        worth.offer(online.accuracy.knn);
        worth.online = Some(online);
    }
    Ok(worth)
}

/// The features and labels of the samples of a labelled split, in order; without those that cannot be read, where they may be
/// left out, and which those are.
fn read(
    reader: &Reader,
    data: &Splits,
    (split, samples): (&str, &Arc<dyn Samples>),
    encode: &Encode,
) -> fmicl_core::Result<(Features, Vec<usize>)> {
    let mut encoded = reader.encode_those(samples, encode, reader.on_error)?;
    let missing = encoded.missing(samples.len());
    let own: HashSet<_> = encoded.unreadable.iter().map(|own| own.sample).collect();
    // Why, the process knows that it fell to.
    let others = missing.iter().filter(|index| !own.contains(index));
    encoded.unreadable.extend(others.map(|&sample| {
        let path = samples
            .path(sample)
            .map_or("it".into(), |path| path.display().to_string());
        let error = format!("{path}: cannot be read, as another process found");
        Unreadable { sample, error }
    }));
    data.left_out.add(Pass::Evaluation, split, &encoded.unreadable);
    let labels = encoded.labels(&**samples).to_device(reader.device);
    let values = encoded.values;
    Ok((Features { values, labels }, missing))
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
