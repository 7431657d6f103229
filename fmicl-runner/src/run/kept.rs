//! Copies of the files that a run's parts read: it is usable where these are gone, and can be moved.
//!
//! `files/KEY` is what the option `KEY` of the experiment named, a file or a folder, such as `files/views.tokenizer`.

use crate::config::{Change, Experiment, Origin};
use fmicl_core::{Error, Reads, Result};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where they lie in a run's directory.
pub(crate) const FILES: &str = "files";

/// The files that an experiment's dataset, views and backbone read, each with the name of its copy in a run's directory.
fn copies(experiment: &Experiment) -> impl Iterator<Item = (PathBuf, PathBuf)> {
    let of = |part, reads: Vec<Reads>| reads.into_iter().map(move |reads| reads.within(part));
    let views = of("views", experiment.views.reads());
    let backbone = of("backbone", experiment.backbone.reads());
    let dataset = of("dataset", experiment.dataset.reads());
    views
        .chain(backbone)
        .chain(dataset)
        .flat_map(|Reads { option, path, files }| {
            let copy = Path::new(FILES).join(option);
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

/// Copies to the run in `run` what its experiment's parts read.
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
    // Nobody gave them, so that one whose part was replaced is none that got lost.
    let origin = Origin::File(folder.as_path().into());
    let set = |entry: fs::DirEntry| set(&entry.file_name().to_string_lossy(), &entry.path()).written_at(origin.clone());
    let entries = fs::read_dir(&folder).map_err(io)?;
    let mut sets: Vec<_> = entries.map(|entry| entry.map(set).map_err(io)).collect::<Result<_>>()?;
    sets.sort_by(|one, other| one.key().cmp(other.key()));
    Ok(sets)
}

/// The change that makes the option `key` name `path`.
pub(super) fn set(key: &str, path: &Path) -> Change {
    Change::set(key, &*path.to_string_lossy())
}

/// A line for each file that has changed since the run in `run` has copied it.
pub(crate) fn changed(experiment: &Experiment, run: &Path) -> Vec<String> {
    // One that is gone, or was never copied, is none that has changed.
    let differs = |(from, to): &(PathBuf, PathBuf)| differ(from, to).unwrap_or(false);
    let copies = copies(experiment).map(|(from, to)| (from, run.join(to)));
    let line = |(from, to): (PathBuf, PathBuf)| {
        format!(
            "{} has changed since the run began, which goes on with its own copy, {}; a new run (another --out) takes the changed one",
            from.display(),
            to.display()
        )
    };
    copies.filter(differs).map(line).collect()
}

/// Whether a file differs from its copy, which has its time: that of another time may still have the same bytes, such as a
/// file that was fetched again.
fn differ(file: &Path, copy: &Path) -> io::Result<bool> {
    let (of_file, of_copy) = (fs::metadata(file)?, fs::metadata(copy)?);
    if of_file.len() != of_copy.len() {
        return Ok(true);
    }
    if of_file.modified()? == of_copy.modified()? {
        return Ok(false);
    }
    let (one, other) = (File::open(file)?, File::open(copy)?);
    let piece = |file: &File| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        file.take(PIECE).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    loop {
        let next = piece(&one)?;
        if next != piece(&other)? {
            return Ok(true);
        }
        if next.is_empty() {
            return Ok(false);
        }
    }
}

/// Bytes that are compared at a time.
const PIECE: u64 = 1 << 20;

/// Copies a file with its time, by which [`differ`] knows that it is still the same.
fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    // That of before: a file that is changed meanwhile is a later one.
    let time = fs::metadata(from).and_then(|file| file.modified());
    let time = time.map_err(|error| Error::io(from, error))?;
    fs::copy(from, to).map_err(|error| Error::io(from, error))?;
    // Without it, the bytes are compared; a file that may not be written cannot be given a time.
    let _ = File::options()
        .write(true)
        .open(to)
        .and_then(|copy| copy.set_modified(time));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_copy_is_compared_by_its_bytes_only_if_the_time_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let [file, copy] = ["a", "b/c"].map(|name| folder.path().join(name));
        fs::write(&file, "one").unwrap();
        copy_file(&file, &copy).unwrap();
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        let set = |text: &str, seconds: u64| {
            fs::write(&file, text).unwrap();
            let opened = File::options().write(true).open(&file).unwrap();
            opened.set_modified(time + Duration::from_secs(seconds)).unwrap();
            differ(&file, &copy).unwrap()
        };
        assert!(!set("one", 0) && !set("one", 5), "the same bytes");
        assert!(set("two", 5), "as many bytes, and later");
        assert!(set("three", 0), "more bytes");
        assert!(!set("two", 0), "not read: it would take as long as the file is large");
    }
}
