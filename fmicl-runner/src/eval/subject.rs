//! An encoder that is used as it is: of a run, or of a folder of published weights.

use super::{Reader, alone};
use crate::config;
use crate::train::{Model, RunDir};
use crate::{DeviceChoice, panics};
use fmicl_core::registry;
use fmicl_core::tch::nn::VarStore;
use fmicl_core::tch::{self, Tensor};
use fmicl_core::{Backbone, Encoder, Error, Modality, Part, Pretrained, PretrainedParts, Result, View, Views};
use fmicl_data::OnError;
use std::path::{Path, PathBuf};

/// Samples that are encoded at a time, where no experiment says it.
const BATCH: usize = 64;

/// A frozen encoder, and how samples become what it reads.
pub(crate) struct Subject {
    pub reader: Reader,
    /// Where its weights come from.
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

/// The parts that read a folder of published weights, if it is one.
///
/// # Errors
/// One that cannot be read.
pub(crate) fn published(folder: &Path) -> Result<Option<PretrainedParts>> {
    for layout in registry::list::<dyn Pretrained>() {
        let layout: Part<dyn Pretrained> = Part::new(layout.name, toml::Table::new())?;
        if let Some(parts) = layout.parts(folder)? {
            return Ok(Some(parts));
        }
    }
    Ok(None)
}

impl Subject {
    /// The encoder of the run, or of published weights, at `path`; `sets` change options of a folder's `views` and
    /// `backbone`.
    ///
    /// # Errors
    /// A path that is neither, or cannot be read.
    pub fn open(path: &Path, sets: &[String], device: Option<DeviceChoice>) -> Result<Self> {
        let not_a_run = match RunDir::open(path) {
            Ok(run) if sets.is_empty() => return Subject::of_run(&run, device),
            Ok(_) => {
                return Err(Error::config(
                    "--set is for a folder of weights; a run has its own options",
                ));
            }
            Err(error) => error,
        };
        match published(path)? {
            Some(parts) => Subject::of_folder(path, parts, sets, device.unwrap_or_default()),
            None if path.is_dir() => {
                let layouts = registry::list::<dyn Pretrained>();
                let layouts: Vec<_> = layouts.iter().map(|layout| layout.name).collect();
                let message = format!(
                    "is neither a run directory, with a config.toml, nor a whole folder of published weights ({})",
                    layouts.join(", ")
                );
                Err(Error::data(path, message))
            }
            None => Err(not_a_run),
        }
    }

    fn of_run(run: &RunDir, device: Option<DeviceChoice>) -> Result<Self> {
        let it = run.restore(device)?;
        Ok(Subject {
            reader: Reader::of(&it.experiment, it.device, &alone()),
            weights: it.checkpoint,
            encoder: Source::Run(Box::new(it.model)),
        })
    }

    fn of_folder(path: &Path, parts: PretrainedParts, sets: &[String], device: DeviceChoice) -> Result<Self> {
        let device = device.resolve()?;
        let PretrainedParts { views, backbone } = parts;
        let tables = toml::Table::from_iter([
            ("views".to_string(), views.into()),
            ("backbone".to_string(), backbone.into()),
        ]);
        let mut tables = config::changed(tables, sets)?;
        let mut take = |key: &str| tables.remove(key).unwrap_or(toml::Table::new().into());
        let views: Part<dyn Views> = Part::from_value(take("views")).map_err(|error| error.at("views"))?;
        let backbone: Part<dyn Backbone> = Part::from_value(take("backbone")).map_err(|error| error.at("backbone"))?;
        if let Some(key) = tables.keys().next() {
            return Err(Error::config(format!(
                "--set {key}: a folder of weights has `views` and `backbone` alone"
            )));
        }
        let store = VarStore::new(device);
        let input = views.input()?;
        let encoder = panics::refused("cannot be built", || backbone.build_for(&store.root(), input))?;
        Ok(Subject {
            reader: Reader {
                views: views.share(),
                batch_size: BATCH,
                device,
                on_error: OnError::Fail,
                processes: alone(),
            },
            weights: path.to_path_buf(),
            encoder: Source::Folder { encoder, _store: store },
        })
    }

    /// That samples of this kind can be given to the encoder.
    pub fn require(&self, what: &str, modality: Modality) -> Result<()> {
        let reads = self.reader.views.modality();
        if reads == modality {
            return Ok(());
        }
        Err(Error::config(format!(
            "`{what}` is for {modality}, and this encoder reads {reads}"
        )))
    }

    /// Features `[N, d]` of a view in evaluation form.
    pub fn encode(&self, view: &View) -> Tensor {
        let encoder = match &self.encoder {
            Source::Run(model) => model.learner.encoder(),
            Source::Folder { encoder, .. } => &**encoder,
        };
        tch::no_grad(|| encoder.forward(view, false))
    }
}
