//! Checks on the place of a run's directory.

use crate::run::kept::FILES;
use crate::run::published;
use fmicl_core::{Error, OUTPUT_MARK, Result, disk};
use std::fs;
use std::path::{Path, PathBuf};

/// Config of the run; a directory with this file is a run's.
pub const CONFIG: &str = "config.toml";
pub const CHECKPOINTS: &str = "checkpoints";
/// The backbone before training, where it started with a file of weights.
pub const INIT: &str = "init.safetensors";
/// Locked by the process that trains; the system unlocks it when that ends, however it does.
pub const LOCK: &str = OUTPUT_MARK;

/// Files that are written before the config, and may be incomplete without it.
const LEFT: [&str; 5] = [LOCK, FILES, INIT, ".init.safetensors.partial", ".config.toml.partial"];

/// Returns true if there is a run in a directory.
pub fn is_run_at(path: &Path) -> bool {
    path.join(CONFIG).is_file()
}

/// Checks that there is nothing in a directory but what a process leaves that was killed before it had a config.
pub fn require_unused(path: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(path) else { return Ok(()) };
    // Without a lock, what is there is somebody's own, whatever its name.
    let locked = path.join(LOCK).exists();
    let is_nothing = |entry: fs::DirEntry| match entry.file_name().to_str() {
        Some(CHECKPOINTS) => fs::read_dir(entry.path()).is_ok_and(|mut entries| entries.next().is_none()),
        Some(name) => locked && LEFT.contains(&name),
        None => false,
    };
    if entries.filter_map(|entry| entry.ok()).all(is_nothing) {
        return Ok(());
    }
    let way = match is_run_at(path) {
        true => "; resume the run in it with --resume auto, or name a new directory with --out",
        false => "; name a new directory with --out",
    };
    Err(Error::Run(format!("{}: is not empty{way}", path.display())))
}

/// A run that is sure to fail at its first checkpoint, for want of room for `needed` bytes, should fail now.
pub fn require_room(path: &Path, needed: u64) -> Result<()> {
    let free = disk::free_space(path)?;
    if free >= needed {
        return Ok(());
    }
    Err(Error::Run(format!(
        "{}: the disk has {} MiB free and this run needs {} MiB; free some, or choose another disk with --out",
        path.display(),
        free >> 20,
        needed.div_ceil(1 << 20)
    )))
}

/// `runs/NAME-1`, or the first number that is free.
pub fn unused(name: &str) -> PathBuf {
    let mut number = 1;
    loop {
        let path = Path::new("runs").join(format!("{name}-{number}"));
        if !path.exists() {
            return path;
        }
        number += 1;
    }
}

/// Error for a path that is not a run's directory.
pub fn no_run_at(path: &Path) -> Error {
    let wanted = "name a run directory, one that `train` wrote";
    let found = match (path.exists(), path.is_dir(), published(path)) {
        (false, ..) => format!("there is no such folder; {wanted}"),
        (_, false, _) => format!("is a file; {wanted}"),
        (.., Ok(Some(_))) => {
            "is a folder of published weights, not a run directory: use it with `fmicl embed` or `fmicl eval`".into()
        }
        _ if path.join("runs").is_dir() && path.join("results.csv").is_file() => format!(
            "is a sweep, not a run directory: name one of its runs, in {}; `report`, `runs` and `watch` take the whole sweep",
            path.join("runs").display()
        ),
        _ => format!("is not a run directory: it has no config.toml; {wanted}"),
    };
    Error::data(path, found)
}
