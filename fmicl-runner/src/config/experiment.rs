//! The experiment file's top level.

use super::{Eval, Evaluations, Node, Train};
use crate::DeviceChoice;
use fmicl_core::registry;
use fmicl_core::registry::BelowZero;
use fmicl_core::{
    Architecture, Backbone, Chosen, Dataset, Documented, Engine, Error, Modality, Objective, Optimizer, Part, Result,
    Tracker, Views,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// An experiment, complete: the parts by name, and the numbers.
///
/// A part is written as `"name"` or `{ name = "name", option = value }`; `fmicl list` shows the names and their
/// options. `extends = "other.toml"`, relative to the file, takes everything that the file does not say from
/// another one: tables merge key by key, those of a part of the same name, too, and a part whose name changes, or of which a
/// name alone is written, is replaced whole.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The samples.
    pub dataset: Part<dyn Dataset>,
    /// The encoder that is kept.
    pub backbone: Part<dyn Backbone>,
    /// A file of weights that the backbone starts with, relative to the file that names it; by default it starts at
    /// random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
    /// How views become pairs.
    pub architecture: Part<dyn Architecture>,
    /// The loss of a pairing.
    pub objective: Part<dyn Objective>,
    /// The optimizer; the learning rate is in `train`.
    pub optimizer: Part<dyn Optimizer>,
    /// How processes talk; by default the engine whose launcher has started this process, or else `"single"`.
    #[serde(default = "launched")]
    pub engine: Part<dyn Engine>,
    /// The seed of everything random, 0 by default.
    #[serde(default)]
    pub seed: u64,
    /// `"auto"` (the default: the first GPU, or else the CPU), `"cpu"` or `"cuda:N"`.
    #[serde(default)]
    pub device: DeviceChoice,
    /// How samples become what the backbone reads; `image` where no name is given.
    #[serde(default = "image_views")]
    pub views: Part<dyn Views>,
    /// The training run.
    pub train: Train,
    /// The evaluation; every key has a default.
    #[serde(default)]
    pub eval: Eval,
    /// Evaluations of the encoder by name; if the dataset has labels, those that are run by default are among them.
    #[serde(default, skip_serializing_if = "Evaluations::is_empty")]
    pub evaluations: Evaluations,
    /// Where the values go that the run measures; by default `["jsonl"]`, the files that sweeps read.
    #[serde(default = "jsonl")]
    pub trackers: Vec<Part<dyn Tracker>>,
    /// Values of the objective that were chosen for the architecture.
    #[serde(skip)]
    chosen: Vec<Chosen>,
    /// Where each value was written.
    #[serde(skip)]
    source: Option<Node>,
}

/// The engine whose launcher has started this process; where there is none, one process alone.
pub(crate) fn launched() -> Part<dyn Engine> {
    let engines = registry::list::<dyn Engine>();
    let engines = engines
        .iter()
        .filter_map(|engine| Part::new(engine.name, toml::Table::new()).ok());
    let mut launched = engines.filter(|engine: &Part<dyn Engine>| engine.is_launched());
    launched.next().unwrap_or_else(single)
}

#[expect(clippy::expect_used, reason = "core registers `single` itself, without options")]
fn single() -> Part<dyn Engine> {
    Part::new("single", toml::Table::new()).expect("core has the engine `single`")
}

/// The trackers of an experiment that names none.
#[expect(clippy::expect_used, reason = "this crate registers `jsonl`, which has no options")]
fn jsonl() -> Vec<Part<dyn Tracker>> {
    vec![Part::new("jsonl", toml::Table::new()).expect("there is the tracker `jsonl`")]
}

/// The views of an experiment that says nothing of them.
const IMAGE: &str = "image";

#[expect(
    clippy::expect_used,
    reason = "fmicl-data registers `image`, all of whose options have defaults"
)]
fn image_views() -> Part<dyn Views> {
    Part::new(IMAGE, toml::Table::new()).expect("fmicl-data has the views `image`")
}

impl Experiment {
    /// Gives the views the name that a table of theirs may leave out.
    pub(super) fn name_views(table: &mut toml::Table) {
        let views = table.entry("views").or_insert_with(|| toml::Table::new().into());
        if let toml::Value::Table(options) = views {
            options.entry("name").or_insert(IMAGE.into());
        }
    }

    /// The experiment of a table, with every default filled in; its ranges are not checked yet.
    ///
    /// # Errors
    /// [`Error::Config`] at the first key that is wrong.
    pub(super) fn read(table: toml::Table) -> Result<(Self, BelowZero)> {
        let (mut experiment, below_zero) = registry::read::<Experiment>(table)?;
        if experiment.dataset.is_labelled() {
            experiment.evaluations.add_defaults();
        }
        for chosen in experiment.objective.chosen(experiment.architecture.bears_repulsion()) {
            let objective = experiment.objective.with(&chosen.option, chosen.value.clone());
            experiment.objective = objective.map_err(|error| error.at("objective"))?;
            experiment.chosen.push(chosen);
        }
        Ok((experiment, below_zero))
    }

    /// Keys of the objective that were chosen for the architecture.
    pub(super) fn chosen(&self) -> impl Iterator<Item = String> {
        self.chosen.iter().map(|chosen| format!("objective.{}", chosen.option))
    }

    /// A sentence for each value of the objective that was chosen for the architecture.
    pub(crate) fn why(&self) -> impl Iterator<Item = String> {
        let architecture = self.architecture.name();
        self.chosen.iter().map(move |Chosen { option, value, why }| {
            format!("objective.{option} = {value} by default under `{architecture}`: {why}")
        })
    }

    /// The experiment as a file with every default filled in; loading it gives the same experiment.
    ///
    /// # Errors
    /// [`Error::Config`] where a value has no form in TOML, such as a part's integer above 2^63.
    pub fn to_toml(&self) -> Result<String> {
        super::write(&self.to_table()?)
    }

    /// As [`to_toml`](Experiment::to_toml), before it is text.
    ///
    /// # Errors
    /// As there.
    pub fn to_table(&self) -> Result<toml::Table> {
        registry::write_options(self)
    }

    /// A config error with the file and line where its key was written; other errors pass unchanged.
    pub fn locate(&self, error: Error) -> Error {
        match &self.source {
            Some(source) => source.locate(error),
            None => error,
        }
    }

    /// The config tree with the origin of each value, if the experiment was loaded from a file.
    pub(super) fn source(&self) -> Option<&Node> {
        self.source.as_ref()
    }

    /// With what knows where each value was written: paths are relative to that.
    pub(super) fn with_source(mut self, source: Node) -> Self {
        self.init = self.init.map(|path| source.folder_of("init").join(path));
        self.source = Some(source);
        self
    }

    /// Everything that is wrong with the values together, at their keys. The parts have checked their own.
    pub(super) fn validate(&self) -> Vec<Error> {
        let at = |errors: Vec<Error>, section| errors.into_iter().map(move |error: Error| error.at(section));
        at(self.train.validate(), "train")
            .chain(at(self.eval.validate(), "eval"))
            .chain(self.modalities())
            .chain(self.without_labels())
            .chain(self.trackers_named_twice())
            .collect()
    }

    /// Two of one kind would write to the same files.
    fn trackers_named_twice(&self) -> impl Iterator<Item = Error> {
        let earlier = |index: usize| self.trackers[..index].iter().map(|tracker| tracker.name());
        let trackers = self.trackers.iter().map(|tracker| tracker.name()).enumerate();
        let twice = trackers.filter(move |(index, name)| earlier(*index).any(|other| other == *name));
        twice.map(|(index, name)| {
            Error::config(format!(
                "`{name}` is named twice, and both would write to the same files; name it once"
            ))
            .at(&format!("trackers[{index}]"))
        })
    }

    /// The parts that read something else than the dataset's samples.
    fn modalities(&self) -> impl Iterator<Item = Error> {
        let (dataset, samples) = (self.dataset.name(), self.dataset.modality());
        let (views, backbone) = (&self.views, &self.backbone);
        let parts = [
            ("views".to_string(), views.name(), views.modality()),
            ("backbone".to_string(), backbone.name(), backbone.modality()),
        ];
        let evaluations = self.evaluations.iter();
        let evaluations =
            evaluations.filter_map(|(name, part)| Some((format!("evaluations.{name}"), part.name(), part.modality()?)));
        let of_others = parts.into_iter().chain(evaluations);
        let of_others = of_others.filter(move |(_, _, reads)| *reads != samples);
        of_others.map(move |(key, name, reads): (String, &str, Modality)| {
            Error::config(format!(
                "`{name}` is for {reads}, and the dataset `{dataset}` has {samples}"
            ))
            .at(&key)
        })
    }

    /// The evaluations that want labels where the dataset has none.
    fn without_labels(&self) -> impl Iterator<Item = Error> {
        let evaluations = self.evaluations.iter().filter(|_| !self.dataset.is_labelled());
        evaluations.filter(|(_, part)| part.wants_labels()).map(|(name, part)| {
            Error::config(format!(
                "`{}` needs labels, but the dataset `{}` has none",
                part.name(),
                self.dataset.name()
            ))
            .at(&format!("evaluations.{name}"))
        })
    }
}
