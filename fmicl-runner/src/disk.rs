//! Files that are whole or not there, also after a power cut.

use fmicl_core::{Error, Result};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Replaces a file by these bytes: written under another name, flushed to the disk and renamed.
///
/// # Errors
/// The disk's; the file is then as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let partial = path.with_file_name(format!(".{name}.partial"));
    let write = || {
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    if let Err(error) = write() {
        // What is left of it helps nobody; the first error is the one to tell.
        let _ = fs::remove_file(&partial);
        return Err(Error::io(path, error));
    }
    sync(path.parent().unwrap_or(path))
}

/// Flushes a file, or the names in a folder, to the disk.
///
/// # Errors
/// The disk's.
pub fn sync(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| Error::io(path, error))
}
