//! Opening the splits and the evaluations of an experiment.

use super::Splits;
use super::labelled::{Labelled, has_labels};
use crate::config::Experiment;
use crate::together::processes_here;
use fmicl_core::{Dataset, Error, Evaluation, Part, Result, Samples, Sizes, Split, Task, Views, registry};
use fmicl_data::{Chosen, OnError};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// An evaluation whose data are read.
pub struct Opened {
    /// Its name in the experiment.
    pub name: String,
    /// Its options.
    pub evaluation: Arc<dyn Evaluation>,
    /// Its data.
    pub task: Box<dyn Task>,
}

impl Opened {
    /// Reads the data of an evaluation.
    ///
    /// # Errors
    /// A fault of the data.
    pub fn open(name: &str, evaluation: &Part<dyn Evaluation>) -> Result<Self> {
        Ok(Opened {
            name: name.to_string(),
            evaluation: evaluation.share(),
            task: evaluation.open()?,
        })
    }
}

/// A dataset whose splits are opened, and how.
pub(crate) struct Source<'a> {
    /// The dataset.
    pub dataset: &'a Part<dyn Dataset>,
    /// The most labelled training samples.
    pub train_samples: Option<usize>,
    /// Views of an encoder.
    pub views: Arc<dyn Views>,
    /// Handling of labelled samples that cannot be read.
    pub on_error: OnError,
    /// Whether features are held as f16.
    pub half: bool,
    /// Processes of this machine.
    pub processes_here: usize,
}

impl<'a> Source<'a> {
    fn of(experiment: &'a Experiment) -> Result<Self> {
        Ok(Source {
            dataset: &experiment.dataset,
            train_samples: experiment.eval.train_samples,
            views: experiment.views.share(),
            on_error: experiment.train.on_error,
            half: experiment.eval.half,
            processes_here: processes_here(Some(experiment))?,
        })
    }
}

impl Splits {
    /// As [`open`](Splits::open), and checked against what is to be done with them after training: that is too late.
    ///
    /// # Errors
    /// As there, those of [`Evaluation::validate_for`], and those of [`require_best`](Splits::require_best).
    pub fn open_to_train(experiment: &Experiment) -> Result<Self> {
        let splits = Splits::open(experiment)?;
        for (opened, labelled) in splits.by_labels() {
            let fits = opened.evaluation.validate_for(&labelled.sizes());
            let samples = labelled.samples();
            let fits = fits.and_then(|()| opened.task.validate_samples(&samples).map_err(Error::named_in_config));
            fits.map_err(|error| error.at(&format!("evaluations.{}", opened.name)))?;
        }
        if let (Some(most), Some(labelled), true) = (
            experiment.eval.online_samples,
            &splits.labelled,
            experiment.eval.every > 0,
        ) {
            let whole = labelled.sizes();
            let sizes = Sizes {
                train: whole.train.min(most),
                ..whole
            };
            for opened in splits.in_training().filter(|opened| opened.evaluation.wants_labels()) {
                let fits = opened.evaluation.validate_for(&sizes);
                fits.map_err(|error| {
                    Error::config(format!("too few for `{}`: {error}", opened.name)).at("eval.online_samples")
                })?;
            }
        }
        splits.require_best(experiment)?;
        Ok(splits)
    }

    /// Opens every split, each once, and every evaluation.
    ///
    /// # Errors
    /// A fault of the first that does not open, as a config error at its key.
    pub fn open(experiment: &Experiment) -> Result<Self> {
        let tasks = experiment.evaluations.iter().map(|(name, part)| {
            let opened = Opened::open(name, part).map_err(|error| error.named_in_config());
            opened.map_err(|error| error.at(&format!("evaluations.{name}")))
        });
        let tasks = tasks.collect::<Result<Vec<_>>>()?;
        let mut splits = Splits::of(&Source::of(experiment)?)?;
        let is_labelled = splits.labelled.is_some();
        let (kept, without_labels): (Vec<_>, Vec<_>) = tasks
            .into_iter()
            .partition(|opened| is_labelled || !opened.evaluation.wants_labels());
        splits.tasks = kept;
        splits.without_labels = without_labels.into_iter().map(|opened| opened.name).collect();
        Ok(splits)
    }

    /// Opens every split of a dataset, each once; no evaluation.
    ///
    /// # Errors
    /// A fault of the first that does not open, as a config error at its key.
    pub(crate) fn of(source: &Source) -> Result<Self> {
        let dataset = source.dataset;
        let splits = |pretrain, labelled, no_labels| -> Result<Self> {
            Ok(Splits {
                pretrain,
                labelled,
                tasks: Vec::new(),
                without_labels: Vec::new(),
                no_labels,
                left_out: Rc::default(),
                processes_here: source.processes_here,
                own_pretrain: dataset.has_unlabelled(),
                views: source.views.clone(),
                on_error: source.on_error,
                half: source.half,
            })
        };
        if !dataset.is_labelled() {
            return splits(open_split(dataset, Split::Pretrain)?, None, None);
        }
        let train = open_split(dataset, Split::Train)?;
        let pretrain = match dataset.has_unlabelled() {
            true => open_split(dataset, Split::Pretrain)?,
            false => train.clone(),
        };
        if !has_labels(&*train) {
            let one = (train.classes() == 1).then_some("all images are of one class, so they have no labels");
            return splits(pretrain, None, one);
        }
        let test = open_split(dataset, Split::Test)?;
        let train: Arc<dyn Samples> = match source.train_samples {
            Some(most) if most < train.len() => Arc::new(Chosen::spread(most, train)),
            _ => train,
        };
        splits(pretrain, Some(Labelled { train, test }), None)
    }
}

/// Opens the split for pre-training. Also returns whether the dataset has [labels](has_labels).
///
/// # Errors
/// As [`open_split`].
pub fn trained_on(dataset: &Part<dyn Dataset>) -> Result<(Arc<dyn Samples>, bool)> {
    match (dataset.is_labelled(), dataset.has_unlabelled()) {
        (false, _) => Ok((open_split(dataset, Split::Pretrain)?, false)),
        (true, false) => {
            let train = open_split(dataset, Split::Train)?;
            let labelled = has_labels(&*train);
            Ok((train, labelled))
        }
        (true, true) => {
            let labelled = has_labels(&*open_split(dataset, Split::Train)?);
            Ok((open_split(dataset, Split::Pretrain)?, labelled))
        }
    }
}

/// Opens one split.
///
/// # Errors
/// What is wrong with it, as a config error at `dataset`.
pub fn open_split(dataset: &Part<dyn Dataset>, split: Split) -> Result<Arc<dyn Samples>> {
    let opened = dataset.open(split).map(Arc::from);
    opened.map_err(|error| {
        let key = if is_of_the_root(dataset, &error) {
            "dataset.root"
        } else {
            "dataset"
        };
        error.named_in_config().at(key)
    })
}

/// Returns true if the error's path is the value of the dataset's option `root`. That key may be set in another file or by
/// `--set`, so the error is located there.
fn is_of_the_root(dataset: &Part<dyn Dataset>, error: &Error) -> bool {
    let Error::Data { path, .. } = error else { return false };
    let table = registry::write_options(dataset).unwrap_or_default();
    let root = table.get("root").and_then(toml::Value::as_str);
    root.is_some_and(|root| path == Path::new(root))
}
