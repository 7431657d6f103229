//! Small JSON files of a model's folder.

use fmicl_core::{Error, Result, read_file};
use serde::de::DeserializeOwned;
use std::path::Path;

/// The most bytes of one.
const MOST: u64 = 1 << 20;

/// Reads a JSON file; `None` if it does not exist.
///
/// # Errors
/// [`fmicl_core::Error`] if the file cannot be read, is not JSON, or has a value of another type.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    if !path.exists() {
        return Ok(None);
    }
    need(path).map(Some)
}

/// The same of a file that must be there.
///
/// # Errors
/// Errors of [`read`], and [`fmicl_core::Error::Data`] if there is no file.
pub(crate) fn need<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = read_file(path, MOST, "a small JSON file of a model's folder is expected")?;
    let read = serde_json::from_slice(&bytes);
    read.map_err(|error| Error::data(path, format!("cannot be used: {error}")))
}
