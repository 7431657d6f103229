//! A checkpoint: a folder with `model.safetensors` (the weights and buffers: all that is read to use a run),
//! `training.safetensors` (the optimizer's state and the sums of the running epoch) and `checkpoint.json`.
//!
//! The folder is written under another name, flushed to the disk and renamed: under its own name it is whole, unless the
//! disk damages it, which the checksums tell.

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
/// What a checkpoint is written from: copies of the tensors, so that training can go on meanwhile.
pub struct Snapshot {
    /// State of the run.
    pub standing: Standing,
    /// The model's variables by name.
    pub model: Vec<(String, Tensor)>,
    /// Metadata of the weights.
    pub about: String,
    /// The rest by name.
    pub training: Vec<(String, Tensor)>,
}

/// A checkpoint that was read, whole.
pub struct Checkpoint {
    /// Its folder.
    pub path: PathBuf,
    /// State of the run.
    pub standing: Standing,
    /// The model's variables by name.
    pub model: HashMap<String, Tensor>,
    /// The rest by name; empty where the weights alone were asked for.
    pub training: HashMap<String, Tensor>,
}

/// Which of a checkpoint's files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// To use the model.
    Weights,
    /// To go on training.
    Everything,
}

impl Snapshot {
    /// As if it had been written to `path`, and read.
    pub fn unwritten(self, path: PathBuf) -> Checkpoint {
        Checkpoint {
            path,
            standing: self.standing,
            model: self.model.into_iter().collect(),
            training: self.training.into_iter().collect(),
        }
    }

    /// Writes the folder `path`, in place of one that is there. Until it is whole it has another name.
    ///
    /// # Errors
    /// The disk's; what was there stays, and nothing else is left.
    pub fn write(self, path: &Path) -> Result<()> {
        let partial = disk::partial(path);
        remove(&partial)?;
        let written = self.write_files(&partial).and_then(|()| {
            // A folder can only be renamed to a free name.
            remove(path)?;
            fs::rename(&partial, path).map_err(|error| Error::io(path, error))
        });
        if written.is_err() {
            // Room for whoever needs it; the first error is the one to tell.
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

/// A copy in main memory, whatever device it is on: training goes on while it is written.
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
