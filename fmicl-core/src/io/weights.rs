//! Files of tensors: reading and writing safetensors.

mod about;
mod shards;

pub use about::{about, shapes, write_about};

use crate::{Error, Result, disk, read_file};
// The version that tch has: its tensors convert from this one's views.
use safetensors::{SafeTensorError, SafeTensors};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tch::{TchError, Tensor};

/// The most bytes of a file: it is held in memory, and a sparse one can claim any number.
const MOST: u64 = 256 << 30;

/// Writes tensors to a safetensors file, atomically: it gets its name when it is complete.
///
/// # Errors
/// [`Error::Io`] or [`Error::Data`] if the file cannot be written.
pub fn write(tensors: impl IntoIterator<Item = (String, Tensor)>, path: &Path) -> Result<()> {
    let contiguous = |(name, tensor): (String, Tensor)| (name, tensor.contiguous());
    let mut tensors: Vec<_> = tensors.into_iter().map(contiguous).collect();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    atomically(path, |partial| Tensor::write_safetensors(&tensors, partial))
}

/// As [`disk::atomically`], for a function of tch that writes.
///
/// # Errors
/// [`Error::Io`] or [`Error::Data`] if the file cannot be written.
pub fn atomically(path: &Path, write: impl FnOnce(&Path) -> Result<(), TchError>) -> Result<()> {
    disk::atomically(path, |partial| {
        write(partial).map_err(|error| describe_write(path, error))
    })
}

fn describe_write(path: &Path, error: TchError) -> Error {
    match error {
        TchError::SafeTensorError {
            err: SafeTensorError::IoError(error),
            ..
        }
        | TchError::Io(error) => Error::io(path, error),
        error => Error::data(path, format!("cannot be written: {}", Error::from(error))),
    }
}

/// Reads all tensors of a safetensors file, by name. For shards, `path` is their index, or the file name without
/// `.index.json` (`model.safetensors` for `model.safetensors.index.json`).
///
/// # Errors
/// [`Error::Io`] or [`Error::Data`] if the file cannot be read, is larger than 256 GiB, damaged, or not safetensors.
/// Memory is allocated for the file and its tensors only, whatever its header claims.
pub fn read(path: &Path) -> Result<HashMap<String, Tensor>> {
    if let Some(index) = shards::index(path) {
        return shards::read(&index);
    }
    if let Some(index) = shards::index_of_shard(path) {
        let index = index.file_name().unwrap_or_default().to_string_lossy();
        return Err(Error::data(path, format!("is one of several shards; name {index}")));
    }
    read_one(path)
}

/// The files that [`read`] reads for `path`: itself, or an index and its shards.
pub fn files(path: &Path) -> Vec<PathBuf> {
    match shards::index(path) {
        Some(index) => shards::files(index),
        None => vec![path.into()],
    }
}

fn read_one(path: &Path) -> Result<HashMap<String, Tensor>> {
    parse(path, &read_file(path, MOST, "a file of safetensors is expected")?)
}

/// Parses the tensors of a file's bytes.
///
/// # Errors
/// [`Error::Data`] if the bytes are damaged or not safetensors.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<HashMap<String, Tensor>> {
    let found = SafeTensors::deserialize(bytes).map_err(|error| Error::data(path, describe(&error, bytes)))?;
    let tensors = found.tensors().into_iter().map(|(name, view)| {
        let dtype = view.dtype();
        match Tensor::try_from(view) {
            Ok(tensor) => Ok((name, tensor)),
            Err(error) => Err(Error::data(
                path,
                format!("{name} of {dtype:?}: {}", Error::from(error)),
            )),
        }
    });
    tensors.collect()
}

/// Describes a fault in the bytes of a file.
fn describe(error: &SafeTensorError, bytes: &[u8]) -> String {
    let size = bytes.len();
    // A zip archive or a pickle's first opcode: what torch.save writes.
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0x80, 0x02]) {
        return "is a pickle of PyTorch, not safetensors; convert it with `fmicl convert FILE`".into();
    }
    let header = bytes
        .first_chunk()
        .map_or(0, |length: &[u8; 8]| u64::from_le_bytes(*length));
    match error {
        SafeTensorError::HeaderTooSmall => format!("is not safetensors: it has {size} bytes, and a header takes more"),
        SafeTensorError::HeaderTooLarge => {
            "is damaged, or not safetensors: it begins with no length of a header".into()
        }
        SafeTensorError::InvalidHeaderLength => {
            format!("is truncated, or not safetensors: its header claims {header} bytes, but the file has {size}")
        }
        SafeTensorError::MetadataIncompleteBuffer => format!(
            "is truncated or damaged: the tensors that its header names do not take the {} bytes behind it",
            (size as u64).saturating_sub(header.saturating_add(8))
        ),
        _ => "is damaged, or not safetensors: its header cannot be read".into(),
    }
}

#[cfg(test)]
mod tests;
