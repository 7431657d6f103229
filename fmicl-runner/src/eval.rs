//! Evaluation of a frozen encoder beside raw pixels and the encoder before training.

mod apart;
mod encode;
mod judged;
mod judging;
mod kept;
mod labels;
mod memory;
mod protocol;
mod stored;
mod subject;
mod supervised;

pub use apart::{ApartOptions, apart};
pub use encode::{Encoded, Reader, require_finite};
pub use judged::{Judged, Reports};
pub use labels::{Labels, test_crc32};
pub(crate) use memory::{Need, require_room};
pub use protocol::{Asked, Protocol};
pub use stored::{EvalOptions, run};
pub use subject::{Origin, Published, Subject};
pub(crate) use supervised::require_alone;

use crate::config::Experiment;
use crate::data::{Labelled, Opened, Splits};
use crate::run::Model;
use encode::Encode;
use fmicl_core::tch::Device;
use fmicl_core::{MetricValues, Processes, Samples, Single, View, WithoutTf32};
use fmicl_data::OnError;
use judging::Judging;
use serde::Serialize;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use supervised::copy_of;

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
    /// The values of the trained encoder, named as those of the evaluations during training.
    pub fn of_trained(&self) -> MetricValues {
        Reports(self.reports.of(TRAINED).cloned().collect()).values()
    }

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
    let input = experiment.views.input()?;
    let mut judge = |representation, encode: &Encode, model: Option<&Model>| {
        // The features of one representation are gone before those of the next are made.
        let it = Judging::new(&reader, encode, Some(data));
        let copy = model.map(|model| || copy_of(model, &*experiment.backbone, input));
        let it = match &copy {
            Some(copy) => it.copied_by(copy),
            None => it,
        };
        let tasks = data.tasks.iter();
        let of_pixels = |opened: &&Opened| opened.evaluation.wants_labels() && !opened.evaluation.trains();
        let tasks = tasks.filter(|opened| model.is_some() || of_pixels(opened));
        evaluated.add(dataset, (representation, &it), (Some(data), tasks))
    };
    if let (Some((_, labelled)), Some(width)) = (data.by_labels().next(), data.raw_width()?) {
        let bytes = raw_bytes(width, labelled);
        if bytes <= MOST_PIXELS {
            judge("raw pixels", &|view| raw(experiment, view), None)?;
        } else {
            tracing::warn!(
                "raw pixels are not evaluated: the training split has {} GiB of them",
                bytes >> 30
            );
        }
    }
    for (representation, model) in [(before, &untrained), (TRAINED, trained)] {
        judge(representation, &encoder_of(model), Some(model))?;
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

/// The reports of the model as it is, while training waits, but for evaluations that [train](fmicl_core::Evaluation::trains). Of several processes each has the same.
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
    let it = Judging::new(&reader, &encode, Some(data)).in_training(experiment.eval.online_samples);
    let tasks = data.in_training();
    let reports = tasks.map(|opened| it.judge(opened, "encoder"));
    Ok(Reports(reports.collect::<fmicl_core::Result<_>>()?))
}

/// The features of the samples that can be read, in order, without augmentation, and which could not.
///
/// # Errors
/// None that can be read, or features that are not finite.
pub fn features(subject: &Subject, samples: &Arc<dyn Samples>) -> fmicl_core::Result<Encoded> {
    let encode = |view: &View| subject.encode(view);
    let encoded = subject.reader.encode_those(samples, &encode, OnError::Skip)?;
    if let [first, rest @ ..] = &encoded.unreadable[..] {
        let (count, of, error) = (rest.len() + 1, samples.len(), &first.error);
        tracing::warn!("{count} of {of} samples cannot be read and are left out, the first: {error}");
    }
    Ok(encoded)
}

fn encoder_of(model: &Model) -> impl Fn(&View) -> fmicl_core::tch::Tensor + '_ {
    |view| model.learner.encoder().forward(view, false)
}

/// Returns the raw input of a view, the baseline without an encoder. Called only for views that have one.
fn raw(experiment: &Experiment, view: &View) -> fmicl_core::tch::Tensor {
    let nothing = || view.input.flatten(1, -1);
    experiment.views.raw(view).unwrap_or_else(nothing)
}

/// The size of the labelled training samples as they are, so many numbers each, in bytes.
fn raw_bytes(width: usize, labelled: &Labelled) -> u64 {
    4 * width as u64 * labelled.train.len() as u64
}
