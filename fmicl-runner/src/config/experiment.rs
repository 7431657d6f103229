//! The experiment file's top level.

use super::{Eval, Node, Train};
use crate::DeviceChoice;
use fmicl_core::tch::nn;
use fmicl_core::{Architecture, Backbone, Dataset, Engine, Error, Learner, Objective, Optimizer, Part, Result};
use fmicl_data::Views;
use serde::{Deserialize, Serialize};

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
        let table = fmicl_core::registry::write_options(self)?;
        toml::to_string(&table).map_err(|error| Error::config(error.to_string()))
    }

    /// Builds the backbone, for the size of the views, and the architecture under `root`.
    ///
    /// # Errors
    /// A config error at its key where their options do not go together; [`locate`](Experiment::locate) adds where
    /// that was written.
    pub fn build_learner(&self, root: &nn::Path) -> Result<Box<dyn Learner>> {
        let size = self.views.size as i64;
        let backbone = |path: &nn::Path| {
            self.backbone
                .build_for(path, size)
                .map_err(|error| error.at("backbone"))
        };
        self.architecture.build(root, &backbone).map_err(|error| match error {
            Error::Config { ref key, .. } if key.split('.').next() == Some("backbone") => error,
            error => error.at("architecture"),
        })
    }

    /// A config error with the file and line where its key was written; other errors pass unchanged.
    pub fn locate(&self, error: Error) -> Error {
        match &self.source {
            Some(source) => source.locate(error),
            None => error,
        }
    }

    pub(super) fn with_source(mut self, source: Node) -> Self {
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
