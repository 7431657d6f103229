//! Copies of the files that a run's parts read: it is usable where these are gone, and can be moved.
//!
//! `files/KEY` is what the option `KEY` of the experiment named, a file or a folder, such as `files/views.tokenizer`.

use crate::config::Experiment;
use fmicl_core::{Error, Reads, Result};
use std::fs;
use std::path::Path;

/// Where they lie in a run's directory.
pub(super) const FILES: &str = "files";

/// Copies to the run in `run` what its experiment's views and backbone read.
///
/// # Errors
/// The disk's.
pub(super) fn keep(experiment: &Experiment, run: &Path) -> Result<()> {
    // What a process left that was killed before the run had a config.
    let left = run.join(FILES);
    if left.exists() {
        fs::remove_dir_all(&left).map_err(|error| Error::io(&left, error))?;
    }
    let views = experiment.views.reads().into_iter().map(|reads| ("views", reads));
    let backbone = experiment.backbone.reads().into_iter().map(|reads| ("backbone", reads));
    for (part, Reads { option, path, files }) in views.chain(backbone) {
        let copy = run.join(FILES).join(format!("{part}.{option}"));
        if files.is_empty() {
            copy_file(&path, &copy)?;
        }
        for file in files {
            copy_file(&path.join(&file), &copy.join(&file))?;
        }
    }
    Ok(())
}

/// The changes of the experiment's options that let it read the copies of the run in `run`.
///
/// # Errors
/// The disk's.
pub(super) fn sets(run: &Path) -> Result<Vec<String>> {
    let folder = run.join(FILES);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let io = |error| Error::io(&folder, error);
    let set = |entry: fs::DirEntry| {
        let path = toml::Value::from(&*entry.path().to_string_lossy());
        format!("{}={path}", entry.file_name().to_string_lossy())
    };
    let entries = fs::read_dir(&folder).map_err(io)?;
    let mut sets: Vec<_> = entries.map(|entry| entry.map(set).map_err(io)).collect::<Result<_>>()?;
    sets.sort();
    Ok(sets)
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    fs::copy(from, to).map_err(|error| Error::io(from, error))?;
    Ok(())
}
