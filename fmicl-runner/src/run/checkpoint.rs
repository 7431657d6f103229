//! A checkpoint: a folder with `model.safetensors` (the weights and buffers: all that is read to use a run),
//! `training.safetensors` (the optimizer's state and the sums of the running epoch) and `checkpoint.json`.
//!
//! The folder is written under another name, flushed to the disk and renamed: under its own name it is whole, unless the
//! disk damages it, which the checksums tell.

use super::provenance::Computing;
use crate::config::Train;
use crate::weights;
use fmicl_core::tch::{Device, Tensor, no_grad};
use fmicl_core::{Error, Result, disk, read_file};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The version of the format; in 2 each transform of the views draws from a stream of its own, so that of runs of before only
/// the weights are read.
const FORMAT: u32 = 2;

/// The weights and buffers.
pub const MODEL: &str = "model.safetensors";
/// File of the state that only training needs.
pub const TRAINING: &str = "training.safetensors";
const MANIFEST: &str = "checkpoint.json";
/// The most bytes of that.
const MOST_JSON: u64 = 1 << 20;
/// What is wrong where a file is missing, too large, or none.
const DAMAGED: &str = "the checkpoint is damaged";

/// State of a run between two steps, as far as it is not in tensors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Steps taken since the start of the run.
    pub step: u64,
    /// Epochs that are over; each has its line in `metrics.jsonl`.
    pub epochs: usize,
    /// Batches of the running epoch that are used.
    pub batch: usize,
    /// Measurements of the running epoch.
    pub meter: Counts,
    /// Threads of libtorch, on which the last bits depend.
    pub threads: i32,
    /// The device, as libtorch names it.
    pub device: String,
    /// Processes that train together.
    #[serde(default = "one")]
    pub processes: usize,
    /// Seconds since the start, but for those in which nothing ran.
    pub seconds: f64,
    /// Steps that were left out since their loss or gradient was not finite.
    #[serde(default)]
    pub skipped_steps: u64,
    /// Score of the online evaluation at this step, higher is better.
    pub score: Option<f64>,
}

impl Standing {
    /// How it computes, for the run's record; `train` is the section that it follows, where it trains.
    pub fn computing<'a>(&'a self, train: Option<&'a Train>) -> Computing<'a> {
        Computing {
            step: self.step,
            device: &self.device,
            threads: self.threads,
            processes: self.processes,
            train,
        }
    }
}

/// What a checkpoint that does not say it was written by.
fn one() -> usize {
    1
}

/// Measurements of an epoch, except the sums, which are tensors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Batches in the sums.
    pub batches: usize,
    /// Seconds of the epoch.
    pub seconds: f64,
    /// Those of them that were spent waiting for data.
    pub waited: f64,
    /// Samples that could not be read.
    #[serde(default)]
    pub skipped_samples: usize,
}

/// Source of a checkpoint: copies of the tensors, so that training can continue while it is written.
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

/// `checkpoint.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    /// Of the rest of the file, so that a flipped digit is found.
    crc32: String,
    /// A [`Content`].
    checkpoint: serde_json::Value,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    format: u32,
    #[serde(flatten)]
    standing: Standing,
    files: BTreeMap<String, Digest>,
}

/// Of a file, against damage, not against malice.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Digest {
    bytes: u64,
    crc32: String,
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
        let content = Content {
            format: FORMAT,
            standing: self.standing,
            files,
        };
        let failed = |error| Error::Run(format!("{MANIFEST}: {error}"));
        let checkpoint = serde_json::to_value(content).map_err(failed)?;
        let crc32 = crc32(checkpoint.to_string().as_bytes());
        let json = serde_json::to_string_pretty(&Manifest { crc32, checkpoint }).map_err(failed)?;
        disk::replace(&folder.join(MANIFEST), format!("{json}\n").as_bytes())
    }
}

impl Checkpoint {
    /// Reads the folder `path`.
    ///
    /// # Errors
    /// A file that is missing, damaged or of another format.
    pub fn read(path: &Path, wanted: Wanted) -> Result<Self> {
        let content = Content::read(path)?;
        if matches!(wanted, Wanted::Everything) && content.format < FORMAT {
            let message = "was written by a version whose views drew other random numbers, so the run cannot resume \
                           exactly; start a new one \
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

impl Content {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let bytes = read_file(&path, MOST_JSON, DAMAGED)?;
        let damaged = |why: String| Error::data(&path, format!("is damaged: {why}"));
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let found = crc32(manifest.checkpoint.to_string().as_bytes());
        if found != manifest.crc32 {
            return Err(damaged(format!(
                "its checksum is {found}, and {} was written",
                manifest.crc32
            )));
        }
        match manifest.checkpoint["format"].as_u64() {
            Some(format) if (1..=u64::from(FORMAT)).contains(&format) => {
                serde_json::from_value(manifest.checkpoint).map_err(|error| damaged(error.to_string()))
            }
            format => {
                let format = format.map_or("none".into(), |format| format.to_string());
                let message = format!("is of format {format}, and this version of fmicl reads {FORMAT}");
                Err(Error::data(path, message))
            }
        }
    }
}

impl Digest {
    fn of(reader: io::Result<impl Read>) -> io::Result<Self> {
        let (mut reader, mut hasher, mut bytes) = (reader?, crc32fast::Hasher::new(), 0);
        let mut buffer = vec![0; 1 << 16];
        loop {
            match reader.read(&mut buffer)? {
                0 => break,
                count => {
                    hasher.update(&buffer[..count]);
                    bytes += count as u64;
                }
            }
        }
        let crc32 = format!("{:08x}", hasher.finalize());
        Ok(Digest { bytes, crc32 })
    }
}

/// A copy in main memory, whatever device it is on: training goes on while it is written.
pub fn copy(tensor: &Tensor) -> Tensor {
    no_grad(|| match tensor.device() {
        Device::Cpu => tensor.copy(),
        _ => tensor.to_device(Device::Cpu),
    })
}

fn crc32(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

/// Removes a folder that may not be there.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(folder, error)),
        _ => Ok(()),
    }
}
