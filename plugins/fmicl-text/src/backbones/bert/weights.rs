//! Weights of a Hugging Face folder.

use fmicl_core::tch::{Kind, Tensor};
use fmicl_core::{Error, Result, weights};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// File name of a folder's weights.
pub(super) const FILE: &str = "model.safetensors";

/// File name of the weights in older versions of transformers and sentence-transformers.
const PICKLED: &str = "pytorch_model.bin";

/// Under which a model with a head for some task (`BertForMaskedLM`) keeps its encoder.
const PREFIXES: [&str; 4] = ["bert.", "roberta.", "distilbert.", "mpnet."];
/// Buffers of older versions of transformers, and the layer behind the encoder: they are there whether something takes them
/// or not.
const MAY_BE_LEFT: [&str; 4] = [
    "embeddings.position_ids",
    "embeddings.token_type_ids",
    "pooler.dense.weight",
    "pooler.dense.bias",
];

/// The tensors of a `model.safetensors`, f32, under the names that transformers' models have today.
#[derive(Debug)]
pub(super) struct Weights {
    path: PathBuf,
    /// Tensors that no variable has taken.
    tensors: RefCell<BTreeMap<String, Tensor>>,
}

impl Weights {
    /// Reads the weights of `folder`.
    ///
    /// # Errors
    /// [`Error::Data`] or [`Error::Io`] if the file is missing or damaged, or contains NaN or infinity.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let files = weights::files(&path);
        if !files.iter().any(|file| file.is_file()) {
            let pickled = folder.join(PICKLED);
            let hint = match pickled.is_file() {
                true => format!(
                    "; the folder has a {PICKLED}: `fmicl convert {} --out {}` makes it of that",
                    pickled.display(),
                    path.display()
                ),
                false => String::new(),
            };
            return Err(Error::data(path, format!("there is no such file{hint}")));
        }
        let read = weights::read(&path)?;
        let prefixed = |prefix: &&str| read.keys().any(|name| name.starts_with(*prefix));
        let prefix = PREFIXES.into_iter().find(prefixed).unwrap_or("");
        let mut tensors = BTreeMap::new();
        for (name, tensor) in read {
            // Beside a prefix there are heads for other tasks.
            let Some(name) = name.strip_prefix(prefix) else {
                continue;
            };
            let name = match name.strip_suffix("LayerNorm.gamma") {
                Some(start) => format!("{start}LayerNorm.weight"),
                None => match name.strip_suffix("LayerNorm.beta") {
                    Some(start) => format!("{start}LayerNorm.bias"),
                    None => name.to_string(),
                },
            };
            let kind = tensor.kind();
            if MAY_BE_LEFT.contains(&name.as_str()) && kind == Kind::Int64 {
                continue;
            }
            if ![Kind::Float, Kind::Half, Kind::BFloat16].contains(&kind) {
                return Err(Error::data(
                    path,
                    format!("{name} is of {kind:?}, not f32, f16 or bf16"),
                ));
            }
            tensors.insert(name, tensor.to_kind(Kind::Float));
        }
        Ok(Weights {
            path,
            tensors: RefCell::new(tensors),
        })
    }

    /// Takes the one of this name.
    ///
    /// # Errors
    /// [`Error::Data`] if it is missing, or has another shape.
    pub fn take(&self, name: &str, size: &[i64]) -> Result<Tensor> {
        let fault = |message| Err(Error::data(&self.path, message));
        let Some(tensor) = self.tensors.borrow_mut().remove(name) else {
            return fault(format!("has no {name}, which the shape in config.json asks for"));
        };
        if tensor.size() != size {
            let found = tensor.size();
            return fault(format!("{name} is {found:?}, but by config.json it should be {size:?}"));
        }
        Ok(tensor)
    }

    /// Checks that every tensor of the file has been taken.
    ///
    /// # Errors
    /// [`Error::Data`] with the first that has not.
    pub fn finish(&self) -> Result<()> {
        let tensors = self.tensors.borrow();
        let Some(name) = tensors.keys().find(|name| !MAY_BE_LEFT.contains(&name.as_str())) else {
            return Ok(());
        };
        let message = format!("has {name}, which a model of the shape in config.json does not have");
        Err(Error::data(&self.path, message))
    }
}
