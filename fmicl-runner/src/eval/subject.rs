//! An encoder that is used as it is: of a run, or of published weights.

use super::Reader;
use super::supervised::{copy, copy_of};
use crate::DeviceChoice;
use crate::config::{self, Change, Experiment};
use crate::run::{CheckpointChoice, Model, RunDir, Sweep, published};
use crate::together::{self, Together};
use crate::weights::{self, BACKBONE, Init};

use fmicl_core::panics::refused;
use fmicl_core::registry;
use fmicl_core::tch::nn::{self, VarStore};
use fmicl_core::tch::{self, Device, Tensor};
use fmicl_core::{
    Backbone, Encoder, Error, Modality, Part, Pretrained, PretrainedParts, Processes, Result, Trainable, View, Views,
};
use fmicl_data::OnError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

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
    /// Which weights of the file were taken, where it is another program's.
    pub taken: Option<String>,
    /// Builds the encoder.
    backbone: Arc<dyn Backbone>,
    encoder: Source,
}

enum Source {
    Run(Box<Model>),
    Published {
        encoder: Box<dyn Encoder>,
        /// Keeps the weights.
        store: VarStore,
    },
}

/// Location of an encoder that is not read yet.
pub enum Origin {
    /// A run, its experiment, and which of its checkpoints.
    Run(RunDir, Box<Experiment>, CheckpointChoice),
    /// Published weights, a file or a folder.
    Published(Box<Published>),
}

/// Published weights, a file or a folder.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    #[serde(skip)]
    path: PathBuf,
    /// The file of the backbone's weights, unless it reads them itself.
    #[serde(skip)]
    init: Option<PathBuf>,
    views: Part<dyn Views>,
    backbone: Part<dyn Backbone>,
}

impl Origin {
    /// The run, or the published weights, at `path`; `sets` change options of the `views` and the `backbone` of published weights, and
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
                    "--set of views or backbone is for published weights; a run has its own",
                ));
            }
            Err(error) => error,
        };
        match published(path)? {
            Some(_) if *checkpoint != CheckpointChoice::Last => {
                let message = "has published weights, and no checkpoints";
                Err(Error::data(path, message))
            }
            Some(parts) => Ok(Origin::Published(Published::new(path, parts, sets)?.into())),
            // Of a sweep it is told what takes it.
            None if Sweep::at(path).is_some() => Err(not_a_run),
            None if path.is_dir() => {
                let message = format!(
                    "is neither a run directory, with a config.toml, nor a complete folder of published weights ({})",
                    layouts()
                );
                Err(Error::data(path, message))
            }
            None if is_of_weights(path) => {
                // What is wrong with the file comes first.
                let mut names: Vec<_> = weights::read(path)?.into_keys().collect();
                names.sort();
                let message = format!(
                    "has weights of no model that is known ({}): {}",
                    layouts(),
                    weights::shorten(&names)
                );
                Err(Error::data(path, message))
            }
            None if !path.exists() => {
                let message = "there is no such file or folder; name a run directory, one that `train` wrote, or a file or folder of \
                               published weights (.safetensors)";
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
            Origin::Published(_) => Together::to_use(None, device),
        }
    }

    /// Its parts, as a config.
    ///
    /// # Errors
    /// A value that has no form in TOML.
    pub fn table(&self) -> Result<toml::Table> {
        match self {
            Origin::Run(_, experiment, _) => RunDir::table_of(experiment),
            Origin::Published(published) => registry::write_options(published),
        }
    }

    /// The run that it is of, with its experiment; none of published weights.
    pub fn experiment(&self) -> Option<(&RunDir, &Experiment)> {
        match self {
            Origin::Run(run, experiment, _) => Some((run, experiment)),
            Origin::Published(_) => None,
        }
    }

    /// How samples become what it reads.
    pub fn views(&self) -> Arc<dyn Views> {
        match self {
            Origin::Run(_, experiment, _) => experiment.views.share(),
            Origin::Published(published) => published.views.share(),
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
                    taken: None,
                    backbone: it.experiment.backbone.share(),
                    encoder: Source::Run(Box::new(it.model)),
                })
            }
            Origin::Published(published) => published.open(device, processes),
        }
    }
}

/// Returns true for a file that is meant to hold weights, by its ending.
fn is_of_weights(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let endings = ["safetensors", "pth", "pt", "bin", "ckpt", "tar"];
    path.is_file() && ending.is_some_and(|ending| endings.contains(&&*ending))
}

/// An error without `key`, which nobody wrote here.
fn unkeyed(error: Error, key: &str) -> Error {
    match error {
        Error::Config { key: at, problem } if at == key => problem.into(),
        error => error,
    }
}

/// The names of the layouts that are read.
fn layouts() -> String {
    let layouts = registry::list::<dyn Pretrained>();
    let names: Vec<_> = layouts.iter().map(|layout| layout.name).collect();
    names.join(", ")
}

impl Published {
    fn new(path: &Path, parts: PretrainedParts, sets: &[String]) -> Result<Self> {
        let PretrainedParts { views, backbone, init } = parts;
        let tables = toml::Table::from_iter([
            ("views".to_string(), views.into()),
            ("backbone".to_string(), backbone.into()),
        ]);
        let (published, _): (Published, _) = config::read_changed(path, tables, &Change::parse_all(sets)?)?;
        Ok(Published {
            path: path.to_path_buf(),
            init,
            ..published
        })
    }

    fn open(self, device: Device, processes: &Rc<dyn Processes>) -> Result<Subject> {
        let store = VarStore::new(device);
        let input = self.views.input().map_err(|error| error.at("views"))?;
        let place = store.root() / BACKBONE.trim_end_matches('.');
        let build = |place: &nn::Path| {
            let encoder = refused("cannot be built", || self.backbone.build_for(place, input));
            encoder.map_err(|error| error.at("backbone"))
        };
        let (encoder, taken) = match &self.init {
            None => (build(&place)?, None),
            Some(file) => {
                let init = Init::read(file).map_err(|error| unkeyed(error, "init"))?;
                let encoder = init.build(&place, build).map_err(|error| unkeyed(error, "init"))?;
                let backbone =
                    toml::Value::try_from(&self.backbone).map_err(|error| Error::config(error.to_string()))?;
                let views = self.views.summary();
                (
                    encoder,
                    Some(format!("{}, as {backbone}; {views}", init.summary(&store))),
                )
            }
        };
        together::share(&store, &**processes, |_| true)?;
        Ok(Subject {
            reader: Reader {
                views: self.views.share(),
                batch_size: batch_size(self.views.modality(), device, processes.size()),
                device,
                on_error: OnError::Fail,
                half: false,
                processes: processes.clone(),
            },
            weights: self.path,
            taken,
            backbone: self.backbone.share(),
            encoder: Source::Published { encoder, store },
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
            Source::Published { encoder, .. } => &**encoder,
        }
    }

    /// The number of features.
    pub fn width(&self) -> i64 {
        self.encoder().width()
    }

    /// A copy of the encoder, to be trained.
    ///
    /// # Errors
    /// Those of [`Backbone::build_for`].
    pub fn trainable(&self) -> Result<Trainable> {
        let input = self.reader.views.input()?;
        match &self.encoder {
            Source::Run(model) => copy_of(model, &*self.backbone, input),
            Source::Published { store, .. } => {
                let variables = store.variables().into_iter();
                let own = variables.filter_map(|(name, it)| Some((name.strip_prefix(BACKBONE)?.to_string(), it)));
                copy(&*self.backbone, input, (&own.collect(), ""), self.reader.device)
            }
        }
    }

    /// Features `[N, d]` of a view in evaluation form.
    pub fn encode(&self, view: &View) -> Tensor {
        tch::no_grad(|| self.encoder().forward(view, false))
    }
}
