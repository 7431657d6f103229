//! The experiment file's top level.

use super::{Eval, Node, Train};
use crate::weights::Init;
use crate::{DeviceChoice, panics};
use fmicl_core::tch::nn;
use fmicl_core::{Architecture, Backbone, Dataset, Engine, Error, Learner, Objective, Optimizer, Part, Result};
use fmicl_data::Views;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::path::PathBuf;

/// An experiment, complete: the parts by name, and the numbers.
///
/// A part is written as `"name"` or `{ name = "name", option = value }`; `fmicl list` shows the names and their
/// options. `extends = "other.toml"`, relative to the file, takes everything that the file does not say from
/// another one: tables merge key by key, and a part whose name changes is replaced whole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The images.
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
    /// How processes talk; `"single"` by default.
    #[serde(default = "single")]
    pub engine: Part<dyn Engine>,
    /// The seed of everything random, 0 by default.
    #[serde(default)]
    pub seed: u64,
    /// `"auto"` (the default: the first GPU, or else the CPU), `"cpu"` or `"cuda:N"`.
    #[serde(default)]
    pub device: DeviceChoice,
    /// The random views of an image.
    #[serde(default)]
    pub views: Views,
    /// The training run.
    pub train: Train,
    /// The evaluation; every key has a default.
    #[serde(default)]
    pub eval: Eval,
    /// Where each value was written.
    #[serde(skip)]
    source: Option<Node>,
}

#[expect(clippy::expect_used, reason = "core registers `single` itself, without options")]
fn single() -> Part<dyn Engine> {
    Part::new("single", toml::Table::new()).expect("core has the engine `single`")
}

impl Experiment {
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
        fmicl_core::registry::write_options(self)
    }

    /// The weights that the backbone starts with.
    ///
    /// # Errors
    /// A config error at `init` where the file cannot be read.
    pub(crate) fn read_init(&self) -> Result<Option<Init>> {
        let read = |path: &PathBuf| Init::read(path).map_err(|error| error.at("init"));
        self.init.as_ref().map(read).transpose()
    }

    /// Builds the backbone, for the size of the views and with the weights of `init` if there are any, and the
    /// architecture under `root`.
    ///
    /// # Errors
    /// A config error at its key where their options do not go together, libtorch refuses their sizes, or `init` does
    /// not fit; [`locate`](Experiment::locate) adds where the key was written.
    pub(crate) fn build_learner(&self, root: &nn::Path, init: Option<&Init>) -> Result<Box<dyn Learner>> {
        let size = self.views.size as i64;
        let build = |path: &nn::Path| {
            panics::refused("cannot be built", || self.backbone.build_for(path, size))
                .map_err(|error| error.at("backbone"))
        };
        // An error of the backbone passes through the architecture.
        let backbone_failed = Cell::new(false);
        let backbone = |path: &nn::Path| {
            let encoder = match init {
                Some(init) => init.build(path, build),
                None => build(path),
            };
            backbone_failed.set(encoder.is_err());
            encoder
        };
        let learner = panics::refused("cannot be built", || self.architecture.build(root, &backbone));
        learner.map_err(|error| match backbone_failed.get() {
            true => error,
            false => error.at("architecture"),
        })
    }

    /// A config error with the file and line where its key was written; other errors pass unchanged.
    pub fn locate(&self, error: Error) -> Error {
        match &self.source {
            Some(source) => source.locate(error),
            None => error,
        }
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
        let views = self.views.validate().err().into_iter().collect();
        at(self.train.validate(), "train")
            .chain(at(views, "views"))
            .chain(at(self.eval.validate(), "eval"))
            .collect()
    }
}
