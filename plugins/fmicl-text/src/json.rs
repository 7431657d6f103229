//! Small JSON files of a model's folder.

use fmicl_core::{Error, Result, read_file};
use serde::de::DeserializeOwned;
use std::path::Path;

/// The most bytes of one.
const MOST: u64 = 1 << 20;

/// What a file says; nothing where it is not there.
///
/// # Errors
/// A file that cannot be read, is no JSON, or has a value of another type.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    if !path.exists() {
        return Ok(None);
    }
    need(path).map(Some)
}

/// The same of a file that must be there.
///
/// # Errors
/// As [`read`], and where there is no file.
pub(crate) fn need<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = read_file(path, MOST, "a small JSON file of a model's folder is expected")?;
    let read = serde_json::from_slice(&bytes);
    read.map_err(|error| Error::data(path, format!("cannot be used: {error}")))
}
