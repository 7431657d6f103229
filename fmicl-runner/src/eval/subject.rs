//! An encoder that is used as it is: of a run, or of a folder of published weights.

use super::Reader;
use crate::DeviceChoice;
use crate::config::{self, Experiment};
use crate::data::Splits;
use crate::run::{CheckpointChoice, Model, RunDir, published};
use crate::together::{self, Together};

use fmicl_core::panics::refused;
use fmicl_core::registry;
use fmicl_core::tch::nn::VarStore;
use fmicl_core::tch::{self, Device, Tensor};
use fmicl_core::{
    Backbone, Encoder, Error, Modality, Part, Pretrained, PretrainedParts, Processes, Result, View, Views,
};
use fmicl_data::OnError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Samples that are encoded at a time, where no experiment says it. Texts are small, and a CPU's threads take some of a batch
/// each, as processes take batches.
fn batch_size(modality: Modality, device: Device, processes: usize) -> usize {
    match (modality, device) {
        (Modality::Texts, Device::Cpu) => (1024 / processes).max(64),
        _ => 64,
    }
}

/// A frozen encoder, and how samples become what it reads.
pub struct Subject {
    /// Reader of its samples.
    pub reader: Reader,
    /// File of its weights.
    pub weights: PathBuf,
    encoder: Source,
}

enum Source {
    Run(Box<Model>),
    Folder {
        encoder: Box<dyn Encoder>,
        /// Keeps the weights.
        _store: VarStore,
    },
}

/// Location of an encoder that is not read yet.
pub enum Origin {
    /// A run, its experiment, and which of its checkpoints.
    Run(RunDir, Box<Experiment>, CheckpointChoice),
    /// A folder of published weights.
    Folder(Box<Folder>),
}

/// A folder of published weights.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    #[serde(skip)]
    path: PathBuf,
    views: Part<dyn Views>,
    backbone: Part<dyn Backbone>,
}

impl Origin {
    /// The run, or the folder of published weights, at `path`; `sets` change options of a folder's `views` and `backbone`, and
    /// `checkpoint` is one of a run's.
    ///
    /// # Errors
    /// A path that is neither, or options that are wrong.
    pub fn find(path: &Path, sets: &[String], checkpoint: &CheckpointChoice) -> Result<Self> {
        let not_a_run = match RunDir::open(path) {
            Ok(run) if sets.is_empty() => {
                let experiment = run.experiment()?.into();
                return Ok(Origin::Run(run, experiment, checkpoint.clone()));
            }
            Ok(_) => {
                return Err(Error::config(
                    "--set of views or backbone is for a folder of weights; a run has its own",
                ));
            }
            Err(error) => error,
        };
        match published(path)? {
            Some(_) if *checkpoint != CheckpointChoice::Last => {
                let message = "is a folder of published weights, which has no checkpoints";
                Err(Error::data(path, message))
            }
            Some(parts) => Ok(Origin::Folder(Folder::new(path, parts, sets)?.into())),
            None if path.is_dir() => {
                let layouts = registry::list::<dyn Pretrained>();
                let layouts: Vec<_> = layouts.iter().map(|layout| layout.name).collect();
                let message = format!(
                    "is neither a run directory, with a config.toml, nor a complete folder of published weights ({})",
                    layouts.join(", ")
                );
                Err(Error::data(path, message))
            }
            None => Err(not_a_run),
        }
    }

    /// Meets the other processes that use the encoder.
    ///
    /// # Errors
    /// As [`Together::meet`].
    pub fn meet(&self, device: Option<DeviceChoice>) -> Result<Together> {
        match self {
            Origin::Run(_, experiment, _) => Together::to_use(Some(experiment), device),
            Origin::Folder(_) => Together::to_use(None, device),
        }
    }

    /// Its parts, as a config.
    ///
    /// # Errors
    /// A value that has no form in TOML.
    pub fn table(&self) -> Result<toml::Table> {
        match self {
            Origin::Run(_, experiment, _) => RunDir::table_of(experiment),
            Origin::Folder(folder) => registry::write_options(folder),
        }
    }

    /// The name of a run's dataset and its splits, for the evaluation `name`, which wants labels.
    ///
    /// # Errors
    /// A folder of weights, which has none; or data that do not open or have no labels.
    pub fn labelled(&self, name: &str) -> Result<(&'static str, Splits)> {
        let Origin::Run(_, experiment, _) = self else {
            return Err(Error::config(format!(
                "`{name}` needs labels, which a folder of weights does not have: name a run directory"
            )));
        };
        let (dataset, data) = (experiment.dataset.name(), Splits::without_evaluations(experiment));
        let data = data.map_err(|error| experiment.locate(error))?;
        match data.labelled {
            Some(_) => Ok((dataset, data)),
            None => Err(Error::config(format!(
                "`{name}` needs labels, but the run's dataset `{dataset}` has none"
            ))),
        }
    }

    /// The encoder. Of a run, each of several processes has the first one's: a run that goes on writes newer checkpoints.
    ///
    /// # Errors
    /// Weights that cannot be read.
    pub fn open(self, device: Device, processes: &Rc<dyn Processes>) -> Result<Subject> {
        match self {
            Origin::Run(run, experiment, checkpoint) => {
                let it = run.restore(*experiment, device, &checkpoint)?;
                it.model.share(&**processes, |_| true)?;
                Ok(Subject {
                    reader: Reader::of(&it.experiment, device, processes),
                    weights: it.checkpoint,
                    encoder: Source::Run(Box::new(it.model)),
                })
            }
            Origin::Folder(folder) => folder.open(device, processes),
        }
    }
}

impl Folder {
    fn new(path: &Path, parts: PretrainedParts, sets: &[String]) -> Result<Self> {
        let PretrainedParts { views, backbone } = parts;
        let tables = toml::Table::from_iter([
            ("views".to_string(), views.into()),
            ("backbone".to_string(), backbone.into()),
        ]);
        let folder: Folder = config::read_changed(path, tables, sets)?;
        Ok(Folder {
            path: path.to_path_buf(),
            ..folder
        })
    }

    fn open(self, device: Device, processes: &Rc<dyn Processes>) -> Result<Subject> {
        let store = VarStore::new(device);
        let input = self.views.input().map_err(|error| error.at("views"))?;
        let encoder = refused("cannot be built", || self.backbone.build_for(&store.root(), input));
        let encoder = encoder.map_err(|error| error.at("backbone"))?;
        together::share(&store, &**processes, |_| true)?;
        Ok(Subject {
            reader: Reader {
                views: self.views.share(),
                batch_size: batch_size(self.views.modality(), device, processes.size()),
                device,
                on_error: OnError::Fail,
                processes: processes.clone(),
            },
            weights: self.path,
            encoder: Source::Folder { encoder, _store: store },
        })
    }
}

impl Subject {
    /// Checks that samples of this kind can be given to the encoder.
    pub fn require(&self, what: &str, modality: Modality) -> Result<()> {
        let reads = self.reader.views.modality();
        if reads == modality {
            return Ok(());
        }
        Err(Error::config(format!(
            "`{what}` is for {modality}, and this encoder reads {reads}"
        )))
    }

    fn encoder(&self) -> &dyn Encoder {
        match &self.encoder {
            Source::Run(model) => model.learner.encoder(),
            Source::Folder { encoder, .. } => &**encoder,
        }
    }

    /// The number of features.
    pub fn width(&self) -> i64 {
        self.encoder().width()
    }

    /// Features `[N, d]` of a view in evaluation form.
    pub fn encode(&self, view: &View) -> Tensor {
        tch::no_grad(|| self.encoder().forward(view, false))
    }
}
