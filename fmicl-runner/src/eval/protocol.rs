//! By what encoders are judged apart from their runs: evaluations by name, and labelled data.

mod named;

use super::{Origin, Reader};
use crate::config::{self, Change, Evaluations, Experiment, Node, Origin as Written};
use crate::data::{Opened, Source, Splits};
use crate::run::RunDir;
use crate::together::processes_here;
use fmicl_core::{Dataset, Error, Evaluation, Part, Result, registry, require};
use fmicl_data::OnError;
use named::{as_given, named, of_runs};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What the command line asks for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Names of evaluations; none for those of the first encoder's run, or those that are run by default.
    pub on: Vec<String>,
    /// A dataset's name, an experiment's file, a run or a folder, for the labelled data; or the folder of an evaluation that
    /// brings its own.
    pub data: Option<String>,
    /// Changes, each a `key=value`: of `dataset`, `eval` and `train.on_error`, of `NAME.OPTION` of an evaluation, or of
    /// OPTION where there is one evaluation.
    pub sets: Vec<String>,
}

/// Evaluations and data, as a config.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    evaluations: Evaluations,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dataset: Option<Part<dyn Dataset>>,
    #[serde(default)]
    eval: Eval,
    #[serde(default)]
    train: Train,
}

/// The keys of an experiment's `[eval]` that data are read by.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Eval {
    #[serde(skip_serializing_if = "Option::is_none")]
    train_samples: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_size: Option<usize>,
    half: bool,
}

/// The key of an experiment's `[train]` that data are read by.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Train {
    on_error: OnError,
}

/// The tables of the config, of which a `--set` may change any key.
const TABLES: [&str; 4] = ["evaluations", "dataset", "eval", "train"];

/// Evaluations, and the data by whose labels some of them judge.
pub struct Protocol {
    config: Config,
    /// Where its values were written.
    source: Node,
}

impl Protocol {
    /// Reads what is asked for. An evaluation that the first encoder's run has keeps the run's options for it, and its dataset is
    /// taken where none is named.
    ///
    /// # Errors
    /// A name that is unknown, an option that is wrong, or data that are missing or do not belong to an evaluation.
    pub fn read(origins: &[Origin], asked: &Asked) -> Result<Self> {
        let first = origins.iter().find_map(Origin::experiment);
        let names = match (&asked.on[..], first) {
            ([], Some((_, experiment))) => experiment.evaluations.iter().map(|(name, _)| name.into()).collect(),
            ([], None) => by_default(),
            (on, _) => on.iter().map(|name| name.trim().to_string()).collect(),
        };
        require(!names.is_empty(), "--on", || {
            "names no evaluation, and the run has none; `fmicl list evaluation` has them".into()
        })?;
        let mut changes = Vec::new();
        let mut of_labels = Vec::new();
        let mut of_their_own = Vec::new();
        for (index, name) in names.iter().enumerate() {
            require(!names[..index].contains(name), "--on", || {
                format!("`{name}` is there twice")
            })?;
            let (change, wants_labels) = evaluation(name, first)?;
            changes.push(change);
            if wants_labels {
                &mut of_labels
            } else {
                &mut of_their_own
            }
            .push(name.as_str());
        }
        match (&asked.data, &of_labels[..], &of_their_own[..]) {
            (Some(data), [], [one]) => {
                let change = Change::set(&format!("evaluations.{one}.data"), data.as_str());
                changes.push(change.written_at(as_given(data)));
            }
            (Some(_), [], several) => {
                return Err(Error::config(format!(
                    "--data: {} bring their own data; name each with --set, such as --set {}.data=DIR",
                    several.join(" and "),
                    several.first().unwrap_or(&"sts")
                )));
            }
            (Some(data), ..) => changes.extend(named(data)?),
            (None, [wanting, ..], _) => changes.extend(of_runs(origins, wanting)?),
            (None, [], _) => {}
        }
        Protocol::changed(changes, &names, &asked.sets)
    }

    /// Data alone, which `data` names, with changes of them.
    ///
    /// # Errors
    /// A name that is unknown, or an option that is wrong.
    pub fn of_data(data: &str, sets: &[String]) -> Result<Self> {
        Protocol::changed(named(data)?, &[], sets)
    }

    fn changed(mut changes: Vec<Change>, names: &[String], sets: &[String]) -> Result<Self> {
        for change in Change::parse_all(sets)? {
            changes.push(placed(change, names)?);
        }
        let (config, source): (Config, _) = config::read_changed(Path::new("--on"), toml::Table::new(), &changes)?;
        for (key, value) in [
            ("train_samples", config.eval.train_samples),
            ("batch_size", config.eval.batch_size),
        ] {
            let at_least_one = require(value != Some(0), key, || "0 is not at least 1".into());
            at_least_one.map_err(|error| source.locate(error.at("eval")))?;
        }
        Ok(Protocol { config, source })
    }

    /// As a config.
    ///
    /// # Errors
    /// A value that has no form in TOML.
    pub fn table(&self) -> Result<toml::Table> {
        registry::write_options(&self.config)
    }

    /// The labelled data as a config.
    ///
    /// # Errors
    /// A value that has no form in TOML.
    pub fn about_data(&self) -> Result<toml::Table> {
        let mut table = self.table()?;
        table.remove("evaluations");
        Ok(table)
    }

    /// The evaluations, with their own data read.
    ///
    /// # Errors
    /// A fault of the data.
    pub fn tasks(&self) -> Result<Vec<Opened>> {
        let open = |(name, part)| {
            let opened = Opened::open(name, part).map_err(|error| error.named_in_config());
            opened.map_err(|error| self.source.locate(error.at(&format!("evaluations.{name}"))))
        };
        self.config.evaluations.iter().map(open).collect()
    }

    /// The labelled data and the dataset's name, if an evaluation judges by labels; to be encoded as the views of `origin` say.
    ///
    /// # Errors
    /// Data that do not open or have no labels, or of which there are too few for an evaluation.
    pub fn data(&self, origin: &Origin, tasks: &[Opened]) -> Result<Option<(&'static str, Splits)>> {
        let mut by_labels = tasks.iter().filter(|opened| opened.evaluation.wants_labels());
        let (Some(first), Some(dataset)) = (by_labels.next(), &self.config.dataset) else {
            return Ok(None);
        };
        let opened = Splits::of(&Source {
            dataset,
            train_samples: self.config.eval.train_samples,
            views: origin.views(),
            on_error: self.config.train.on_error,
            half: self.config.eval.half,
            processes_here: processes_here(origin.experiment().map(|(_, experiment)| experiment))?,
        });
        let data = opened.map_err(|error| self.source.locate(error))?;
        let Some(labelled) = &data.labelled else {
            return Err(Error::config(format!(
                "`{}` needs labels, but the dataset `{}` has none; name another one with --data",
                first.name,
                dataset.name()
            )));
        };
        for opened in [first].into_iter().chain(by_labels) {
            let fits = opened.evaluation.validate_for(&labelled.sizes());
            let samples = labelled.samples();
            let fits = fits.and_then(|()| opened.task.validate_samples(&samples).map_err(Error::named_in_config));
            fits.map_err(|error| self.source.locate(error.at(&format!("evaluations.{}", opened.name))))?;
        }
        Ok(Some((dataset.name(), data)))
    }

    /// The dataset.
    pub fn dataset(&self) -> Option<&Part<dyn Dataset>> {
        self.config.dataset.as_ref()
    }

    /// An error with the place where its key was written.
    pub fn locate(&self, error: Error) -> Error {
        self.source.locate(error)
    }

    /// Lets a reader read as it says.
    pub fn adjust(&self, reader: &mut Reader) {
        reader.batch_size = self.config.eval.batch_size.unwrap_or(reader.batch_size);
        reader.on_error = self.config.train.on_error;
        reader.half = self.config.eval.half;
    }
}

/// The evaluations that are run by default.
fn by_default() -> Vec<String> {
    let listed = registry::list::<dyn Evaluation>().into_iter();
    let is_default =
        |name: &str| Part::<dyn Evaluation>::new(name, toml::Table::new()).is_ok_and(|part| part.is_default());
    listed
        .filter(|listing| is_default(listing.name))
        .map(|listing| listing.name.to_string())
        .collect()
}

/// An evaluation of a name, as the run of the first encoder has it or with all defaults; and whether it judges by labels.
fn evaluation(name: &str, first: Option<(&RunDir, &Experiment)>) -> Result<(Change, bool)> {
    let key = format!("evaluations.{name}");
    if let Some((run, experiment)) = first
        && let Some((_, part)) = experiment.evaluations.iter().find(|(own, _)| *own == name)
    {
        let options = registry::write_options(part)?;
        let change = Change::set(&key, options).written_at(Written::File(run.config_path().into()));
        return Ok((change, part.wants_labels()));
    }
    registry::find::<dyn Evaluation>(name)?;
    // Options that have to be given do not change what it judges by.
    let part = Part::<dyn Evaluation>::new(name, toml::Table::new());
    let place = Written::File(Path::new(&format!("--on {name}")).into());
    let change = Change::set(&key, true).written_at(place);
    Ok((change, part.is_ok_and(|part| part.wants_labels())))
}

/// A change at its place in the config: an option of an evaluation lies in that one's table.
fn placed(change: Change, names: &[String]) -> Result<Change> {
    let first = change.key().split('.').next().unwrap_or_default().trim();
    let of = change.key().split('.').nth(1).unwrap_or_default().trim();
    if first == "evaluations" && !names.iter().any(|name| name == of) {
        return Err(change.wrong(&format!("`{of}` is not among the evaluations: {}", names.join(", "))));
    }
    if TABLES.contains(&first) {
        return Ok(change);
    }
    if change.key().contains('.') && names.iter().any(|name| name == first) {
        return Ok(change.below("evaluations"));
    }
    match names {
        [] => Err(change.wrong("only keys of dataset, and train.on_error, may change")),
        [one] => Ok(change.below(&format!("evaluations.{one}"))),
        several => {
            let (example, key) = (several.first().map_or("knn", |name| name), change.key());
            Err(change.wrong(&format!(
                "there are several evaluations: {}; name the one that it is for, such as {example}.{key}",
                several.join(", ")
            )))
        }
    }
}
