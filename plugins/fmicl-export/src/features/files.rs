//! The files of a split's features.

use clap::ValueEnum;
use fmicl_core::tch::{Device, Tensor};
use fmicl_core::{Error, Result, Samples, disk, weights};
use fmicl_data::Unreadable;
use fmicl_runner::eval::Encoded;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// In which form tensors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// SPLIT_features.npy, SPLIT_labels.npy and SPLIT_index.npy, for numpy.load
    Npy,
    /// SPLIT.safetensors with `features`, `labels` and `index`
    Safetensors,
}

/// Where the files of a split are written.
pub(super) struct Outputs<'a> {
    pub folder: &'a Path,
    pub split: &'a str,
    pub format: Format,
    /// Whether the dataset has labels that tell samples apart.
    pub labelled: bool,
}

impl Outputs<'_> {
    /// Writes features `[N, d]`, which sample each row is of, and the labels where there are any; a table of the samples
    /// where their classes have names or they are files; and a list of those that could not be read. The files' paths. What
    /// an earlier call has left of those that are not written now is removed.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, encoded: Encoded, samples: &dyn Samples) -> Result<Vec<PathBuf>> {
        let index: Vec<_> = encoded.indices.iter().map(|&index| index as i64).collect();
        let labelled = self.labelled && samples.classes() > 0;
        let labels = labelled.then(|| encoded.labels(samples));
        let tensors = [
            ("features", Some(encoded.values.to_device(Device::Cpu))),
            ("labels", labels),
            ("index", Some(Tensor::from_slice(&index))),
        ];
        let mut written = match self.format {
            Format::Npy => {
                let mut written = Vec::new();
                for (name, tensor) in tensors {
                    let write = |tensor: Tensor| -> Result<PathBuf> {
                        let path = self.path(&format!("_{name}.npy"));
                        weights::atomically(&path, |path| tensor.write_npy(path))?;
                        Ok(path)
                    };
                    written.extend(self.or_remove(tensor.map(write), &format!("_{name}.npy"))?);
                }
                written
            }
            Format::Safetensors => {
                let path = self.path(".safetensors");
                let there = tensors
                    .into_iter()
                    .filter_map(|(name, tensor)| Some((name.to_string(), tensor?)));
                weights::write(there, &path)?;
                vec![path]
            }
        };
        let text = |name: &str, text: Option<String>| {
            let write = |text: String| -> Result<PathBuf> {
                let path = self.path(name);
                disk::replace(&path, text.as_bytes())?;
                Ok(path)
            };
            self.or_remove(text.map(write), name)
        };
        written.extend(text(
            "_samples.csv",
            table(&encoded.indices, samples, labelled).transpose()?,
        )?);
        let line = |sample: &Unreadable| Ok(serde_json::to_string(sample)? + "\n");
        let skipped: serde_json::Result<String> = encoded.unreadable.iter().map(line).collect();
        let skipped = skipped.map_err(|error| Error::Run(error.to_string()))?;
        written.extend(text("_skipped.jsonl", Some(skipped).filter(|lines| !lines.is_empty()))?);
        Ok(written)
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}{ending}", self.split))
    }

    /// The file that was written, or none in its place.
    fn or_remove(&self, written: Option<Result<PathBuf>>, ending: &str) -> Result<Option<PathBuf>> {
        if written.is_some() {
            return written.transpose();
        }
        let path = self.path(ending);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(path, error)),
            _ => Ok(None),
        }
    }
}

/// A line for each row: the sample's number, its label and its class's name, its file; nothing where there are neither names
/// nor files.
fn table(indices: &[usize], samples: &dyn Samples, labelled: bool) -> Option<Result<String>> {
    let names = if labelled { samples.class_names() } else { Vec::new() };
    let has_files = indices.first().is_some_and(|&index| samples.path(index).is_some());
    if names.is_empty() && !has_files {
        return None;
    }
    let columns = [
        ("sample", true),
        ("label", labelled),
        ("class", !names.is_empty()),
        ("file", has_files),
    ];
    let columns = columns.into_iter().filter(|(_, there)| *there);
    let head: Vec<_> = columns.map(|(name, _)| name.to_string()).collect();
    let rows = indices.iter().map(|&index| {
        let label = samples.label(index);
        let mut fields = vec![index.to_string()];
        fields.extend(labelled.then(|| label.to_string()));
        fields.extend(names.get(label).cloned());
        fields.extend(samples.path(index).map(|path| path.to_string_lossy().into_owned()));
        fields
    });
    Some(lines([head].into_iter().chain(rows)))
}

/// Lines of fields, quoted as in RFC 4180; not all have as many.
fn lines(rows: impl Iterator<Item = Vec<String>>) -> Result<String> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let write = || {
        for row in rows {
            writer.write_record(row)?;
        }
        let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        String::from_utf8(bytes).map_err(std::io::Error::other)
    };
    write().map_err(|error: std::io::Error| Error::Run(error.to_string()))
}
