//! Reading whole files, plain or gzipped.

use flate2::read::GzDecoder;
use fmicl_core::{Error, Result, open_file, toml};
use std::io::Read;
use std::path::Path;

/// The bytes of `path`, at most `limit + 1` of them, unpacked if they are gzipped. Only what is there is allocated, so
/// that a header's claim can be checked against it.
///
/// # Errors
/// [`Error::Data`] where the file is missing (with `hint`: what would work) or its gzip stream is broken,
/// [`Error::Io`] where it cannot be read.
pub(super) fn read_at_most(path: &Path, limit: u64, hint: &str) -> Result<Vec<u8>> {
    let mut file = open_file(path, hint)?;
    let mut magic = Vec::new();
    file.by_ref()
        .take(2)
        .read_to_end(&mut magic)
        .map_err(|error| Error::io(path, error))?;
    let gzipped = magic == [0x1f, 0x8b];
    let whole = std::io::Cursor::new(magic).chain(file);
    let mut bytes = Vec::new();
    if gzipped {
        GzDecoder::new(whole)
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| {
                Error::data(
                    path,
                    format!("the gzip stream is broken or truncated ({error}); fetch the file again"),
                )
            })?;
    } else {
        whole
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::io(path, error))?;
    }
    Ok(bytes)
}

/// The names of `count` classes, a line each, of a file that may be missing; none where it has another number of lines.
pub(super) fn class_names(path: &Path, count: usize) -> Vec<String> {
    let bytes = read_at_most(path, MOST_NAMES, "").unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let names = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let names: Vec<_> = names.map(str::to_string).collect();
    if names.len() == count { names } else { Vec::new() }
}

/// The most bytes of a file of names.
const MOST_NAMES: u64 = 1 << 16;

/// Writes a file, and the folder that it lies in.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = path.parent().unwrap_or(path);
    std::fs::create_dir_all(parent).map_err(|error| Error::io(parent, error))?;
    std::fs::write(path, bytes).map_err(|error| Error::io(path, error))
}

/// The option `root`, as an example returns it.
pub(super) fn root_option(folder: &Path) -> toml::Table {
    toml::Table::from_iter([("root".to_string(), folder.to_string_lossy().into_owned().into())])
}
