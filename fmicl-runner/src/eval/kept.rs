//! Features that are kept in a folder: an evaluation that comes later takes them instead of encoding again.

use crate::data::Labelled;
use crate::out;
use crate::run::provenance;
use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Error, Features, LabelledFeatures, Portion, Result, weights};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// A file for the features of one encoder on one dataset.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
}

/// The tensors of the file: features `[N, d]` and labels `[N]` of both splits, and the number of samples that could not be read.
const NAMES: [&str; 5] = [
    "train.values",
    "train.labels",
    "test.values",
    "test.labels",
    "unreadable",
];
/// Digits of the file's name.
const DIGITS: usize = 16;

impl Kept {
    /// The file below `folder` for these weights, `about` the encoder and the data in a config, this version, and the splits: their
    /// portions, labels, and the sizes and times of their files. Where one of them is another one, so is its name.
    ///
    /// # Errors
    /// A folder that cannot be made, or weights that cannot be read.
    pub fn new(folder: &Path, file: &Path, about: &toml::Table, on: &Labelled) -> Result<Self> {
        out::make_folder(folder)?;
        let mut hash = Sha256::new();
        for file in files(file)? {
            let mut opened = File::open(&file).map_err(|error| Error::io(&file, error))?;
            io::copy(&mut opened, &mut Hashing(&mut hash)).map_err(|error| Error::io(&file, error))?;
        }
        hash.update(format!("{}\n{about}", provenance::version()));
        for split in [&on.train, &on.test] {
            for Portion { name, samples, crc32 } in split.portions() {
                hash.update(format!("{name}\n{samples} {crc32}\n"));
            }
            for index in 0..split.len() {
                hash.update((split.label(index) as u64).to_le_bytes());
                let about = split.path(index).and_then(|path| path.metadata().ok());
                let time = about
                    .as_ref()
                    .and_then(|about| about.modified().ok()?.duration_since(UNIX_EPOCH).ok());
                hash.update(about.map_or(0, |about| about.len()).to_le_bytes());
                hash.update(time.map_or(0, |time| time.as_nanos()).to_le_bytes());
            }
        }
        let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let path = folder.join(format!("{}.safetensors", &digits[..DIGITS]));
        Ok(Kept { path })
    }

    /// Returns true if there is no such file.
    pub fn is_missing(&self) -> bool {
        !self.path.exists()
    }

    /// The features that were kept, on `device`, and how many samples could not be read.
    ///
    /// # Errors
    /// A file that cannot be read or is none of these.
    pub fn read(&self, on: &Labelled, device: Device) -> Result<(LabelledFeatures, usize)> {
        let mut tensors = weights::read(&self.path)?;
        let whole = NAMES.map(|name| tensors.remove(name));
        let [
            Some(train),
            Some(train_labels),
            Some(test),
            Some(test_labels),
            Some(unreadable),
        ] = whole
        else {
            return Err(Error::data(
                &self.path,
                "has no kept features: remove it, and they are made again",
            ));
        };
        let of = |values: Tensor, labels: Tensor| Features {
            values: values.to_device(device),
            labels: labels.to_device(device),
        };
        let features = LabelledFeatures {
            train: of(train, train_labels),
            test: of(test, test_labels),
            classes: on.train.classes(),
            class_names: on.train.class_names(),
        };
        Ok((features, unreadable.int64_value(&[]) as usize))
    }

    /// Keeps features, of which `unreadable` samples are not.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, features: &LabelledFeatures, unreadable: usize) -> Result<()> {
        let LabelledFeatures { train, test, .. } = features;
        let unreadable = Tensor::from_slice(&[unreadable as i64]).to_kind(Kind::Int64);
        let tensors = [&train.values, &train.labels, &test.values, &test.labels, &unreadable];
        let named = NAMES.iter().zip(tensors);
        let tensors: HashMap<_, _> = named
            .map(|(name, it)| (name.to_string(), it.to_device(Device::Cpu)))
            .collect();
        weights::write(tensors, &self.path)?;
        tracing::info!("features are kept in {}", self.path.display());
        Ok(())
    }
}

/// The files of weights at a path: itself, or those of a folder, in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.into()]);
    }
    let read = || -> io::Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
        let mut files = entries.collect::<io::Result<Vec<_>>>()?;
        files.retain(|file| file.is_file());
        files.sort();
        Ok(files)
    };
    read().map_err(|error| Error::io(path, error))
}

/// Writes into a hash.
struct Hashing<'a>(&'a mut Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
