//! Copies of the files that a run's parts read: it is usable where these are gone, and can be moved.
//!
//! `files/KEY` is what the option `KEY` of the experiment named, a file or a folder, such as `files/views.tokenizer`.

use crate::config::{Change, Experiment};
use fmicl_core::{Error, Reads, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Where they lie in a run's directory.
pub(crate) const FILES: &str = "files";

/// The files that an experiment's views and backbone read, each with the name of its copy in a run's directory.
fn copies(experiment: &Experiment) -> impl Iterator<Item = (PathBuf, PathBuf)> {
    let views = experiment.views.reads().into_iter().map(|reads| ("views", reads));
    let backbone = experiment.backbone.reads().into_iter().map(|reads| ("backbone", reads));
    views.chain(backbone).flat_map(|(part, Reads { option, path, files })| {
        let copy = Path::new(FILES).join(format!("{part}.{option}"));
        match files.is_empty() {
            true => vec![(path, copy)],
            false => {
                let within = |file: PathBuf| (path.join(&file), copy.join(file));
                files.into_iter().map(within).collect()
            }
        }
    })
}

/// The bytes of the copies.
///
/// # Errors
/// A file that is not there.
pub(super) fn bytes(experiment: &Experiment) -> Result<u64> {
    let size = |(path, _): (PathBuf, _)| fs::metadata(&path).map_err(|error| Error::io(path, error));
    copies(experiment).map(|file| Ok(size(file)?.len())).sum()
}

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
    copies(experiment).try_for_each(|(from, to)| copy_file(&from, &run.join(to)))
}

/// The changes of the experiment's options that let it read the copies of the run in `run`.
///
/// # Errors
/// The disk's.
pub(super) fn sets(run: &Path) -> Result<Vec<Change>> {
    let folder = run.join(FILES);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let io = |error| Error::io(&folder, error);
    let set = |entry: fs::DirEntry| set(&entry.file_name().to_string_lossy(), &entry.path());
    let entries = fs::read_dir(&folder).map_err(io)?;
    let mut sets: Vec<_> = entries.map(|entry| entry.map(set).map_err(io)).collect::<Result<_>>()?;
    sets.sort_by(|one, other| one.key().cmp(other.key()));
    Ok(sets)
}

/// The change that makes the option `key` name `path`.
pub(super) fn set(key: &str, path: &Path) -> Change {
    Change::set(key, &*path.to_string_lossy())
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    fs::copy(from, to).map_err(|error| Error::io(from, error))?;
    Ok(())
}
