//! A checkpoint: a folder with `model.safetensors` (weights and buffers, enough for evaluation and export),
//! `training.safetensors` (the optimizer's state and the sums of the current epoch) and `checkpoint.json`.
//!
//! The folder is written under a temporary name, flushed to the disk and then renamed, so that a folder with its final name
//! is complete. Checksums detect later damage.

mod manifest;
mod standing;

pub use standing::{Counts, Standing};

use crate::weights;
use fmicl_core::tch::{Device, Tensor, no_grad};
use fmicl_core::{Error, Result, disk, read_file};
use manifest::{Content, DAMAGED, Digest, MANIFEST};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The weights and buffers.
pub const MODEL: &str = "model.safetensors";
/// File of the state that only training needs.
pub const TRAINING: &str = "training.safetensors";
/// Contents of a checkpoint to be written: copies of the tensors, so that training continues during the write.
pub struct Snapshot {
    /// State of the run.
    pub standing: Standing,
    /// The model's variables by name.
    pub model: Vec<(String, Tensor)>,
    /// Metadata of the weights.
    pub about: String,
    /// Tensors that only training needs, by name.
    pub training: Vec<(String, Tensor)>,
}

/// Checkpoint that was read and verified.
pub struct Checkpoint {
    /// Its folder.
    pub path: PathBuf,
    /// State of the run.
    pub standing: Standing,
    /// The model's variables by name.
    pub model: HashMap<String, Tensor>,
    /// Tensors that only training needs, by name; empty where only the weights were read.
    pub training: HashMap<String, Tensor>,
}

/// Files of a checkpoint to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// `model.safetensors`, for evaluation and export.
    Weights,
    /// All files, to resume training.
    Everything,
}

impl Snapshot {
    /// Returns the checkpoint that reading this snapshot from `path` would give.
    pub fn unwritten(self, path: PathBuf) -> Checkpoint {
        Checkpoint {
            path,
            standing: self.standing,
            model: self.model.into_iter().collect(),
            training: self.training.into_iter().collect(),
        }
    }

    /// Writes the folder `path` under a temporary name, then renames it; a folder of that name is replaced.
    ///
    /// # Errors
    /// A failed write. The previous folder is kept and the partial one removed.
    pub fn write(self, path: &Path) -> Result<()> {
        let partial = disk::partial(path);
        remove(&partial)?;
        let written = self.write_files(&partial).and_then(|()| {
            // A folder can only be renamed to a free name.
            remove(path)?;
            fs::rename(&partial, path).map_err(|error| Error::io(path, error))
        });
        if written.is_err() {
            // Frees the space; the first error is the one to report.
            let _ = remove(&partial);
        }
        written.and_then(|()| disk::sync(path.parent().unwrap_or(path)))
    }

    fn write_files(self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let mut files = BTreeMap::new();
        for (name, tensors) in [(MODEL, self.model), (TRAINING, self.training)] {
            let path = folder.join(name);
            match name {
                MODEL => weights::write_about(tensors, &self.about, &path)?,
                _ => weights::write(tensors, &path)?,
            }
            let digest = Digest::of(File::open(&path)).map_err(|error| Error::io(path, error))?;
            files.insert(name.to_string(), digest);
        }
        Content::new(self.standing, files).write(folder)
    }
}

impl Checkpoint {
    /// Reads the folder `path`.
    ///
    /// # Errors
    /// A file that is missing, damaged or of another format.
    pub fn read(path: &Path, wanted: Wanted) -> Result<Self> {
        let content = Content::read(path)?;
        if matches!(wanted, Wanted::Everything) && content.is_of_an_older_format() {
            let message = "was written by a version whose views drew other random numbers, so the run cannot resume exactly; start a new one \
                           (eval, features and export still read this one)";
            return Err(Error::data(path, message));
        }
        let read = |name: &str| {
            let path = path.join(name);
            let Some(expected) = content.files.get(name) else {
                return Err(Error::data(path, format!("is not among the files of {MANIFEST}")));
            };
            let bytes = read_file(&path, expected.bytes, DAMAGED)?;
            let digest = Digest::of(Ok(&*bytes)).map_err(|error| Error::io(&path, error))?;
            if digest != *expected {
                let message = format!(
                    "is damaged: {} bytes with the checksum {}, and {} bytes with {} were written",
                    digest.bytes, digest.crc32, expected.bytes, expected.crc32
                );
                return Err(Error::data(path, message));
            }
            weights::parse(&path, &bytes)
        };
        Ok(Checkpoint {
            model: read(MODEL)?,
            training: match wanted {
                Wanted::Everything => read(TRAINING)?,
                Wanted::Weights => HashMap::new(),
            },
            standing: content.standing,
            path: path.to_path_buf(),
        })
    }

    /// State of the run at the checkpoint `path`, without its tensors.
    ///
    /// # Errors
    /// As [`read`](Checkpoint::read).
    pub fn standing(path: &Path) -> Result<Standing> {
        Ok(Content::read(path)?.standing)
    }
}

/// Returns a copy in main memory, so that training can change the original during the write.
pub fn copy(tensor: &Tensor) -> Tensor {
    no_grad(|| match tensor.device() {
        Device::Cpu => tensor.copy(),
        _ => tensor.to_device(Device::Cpu),
    })
}

/// Removes a folder that may not be there.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(folder, error)),
        _ => Ok(()),
    }
}
