//! Atomic writes, file locks, free disk space.

use super::files::open_file;
use crate::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// The most looks at a lock that a process waits for, a millisecond each.
const MOST_LOOKS: usize = 1000;

/// Name of a file or a folder while it is written, in the same folder: `.NAME.partial`.
pub fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

/// Writes a file atomically, also with respect to a power cut: `write` creates it under the name [`partial`]; when it is complete
/// it is flushed to the disk and renamed. If that fails, the file is as it was, and nothing else is left.
///
/// # Errors
/// Errors of `write`, and [`Error::Io`] of the disk.
pub fn atomically(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let partial = partial(path);
    let renamed = write(&partial).and_then(|()| {
        let flushed = File::open(&partial).and_then(|file| file.sync_all());
        let renamed = flushed.and_then(|()| fs::rename(&partial, path));
        renamed.map_err(|error| Error::io(path, error))
    });
    if let Err(error) = renamed {
        // What is left of it helps nobody; the first error is the one to tell.
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    sync(folder_of(path))
}

/// Writes these bytes to a file, atomically.
///
/// # Errors
/// [`Error::Io`] of the disk; the file is then as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    atomically(path, |partial| {
        let written = File::create(partial).and_then(|mut file| file.write_all(bytes));
        written.map_err(|error| Error::io(path, error))
    })
}

/// Flushes a file, or the names in a folder, to the disk.
///
/// # Errors
/// [`Error::Io`] of the disk.
pub fn sync(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| Error::io(path, error))
}

/// The folder that a path lies in, `.` for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}

/// Locks a file, which is created if it is not there, for this process and those that it starts, until the returned handle is
/// dropped; `None` if another process holds the lock. Processes that only [look](is_locked) are not in the way.
///
/// # Errors
/// [`Error::Io`] if the file cannot be opened, or its disk has no locks.
pub fn lock(path: &Path) -> Result<Option<File>> {
    let io = |error| Error::io(path, error);
    let mut options = File::options();
    let file = options.read(true).create(true).append(true).open(path).map_err(io)?;
    for _ in 0..MOST_LOOKS {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        // What can be shared is held by a process that looks, for an instant.
        match file.try_lock_shared() {
            Ok(()) => file.unlock().map_err(io)?,
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(None)
}

/// Returns true if a process holds the [`lock`] of a file; a file that is not there is not locked. Looking changes nothing, and
/// keeps no process from locking the file.
///
/// # Errors
/// [`Error::Data`] if it is no regular file, [`Error::Io`] if it cannot be opened, or its disk has no locks.
pub fn is_locked(path: &Path) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    let file = open_file(path, "it is a lock")?;
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(Error::io(path, error)),
    }
}

/// Free bytes of the disk that a path lies on, or would lie on: of the nearest folder that exists.
///
/// # Errors
/// [`Error::Io`] if the disk does not answer.
pub fn free_space(path: &Path) -> Result<u64> {
    let there = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let disk = rustix::fs::statvfs(there).map_err(|error| Error::io(there, error.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        entries.map(|entry| name(entry.unwrap())).collect()
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_or_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        let failed = atomically(&path, |partial| {
            fs::write(partial, "half of").unwrap();
            Err(Error::Run("no more room".into()))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more room");
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(folder.path()), ["a.json"]);
        // A folder is in its place.
        let error = replace(folder.path(), b"").unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", folder.path().display())), "{error}");
        assert!(!partial(folder.path()).exists());
    }

    #[test]
    fn a_bare_name_lies_in_the_working_directory() {
        assert_eq!(folder_of(Path::new("a.npy")), Path::new("."));
        assert_eq!(folder_of(Path::new("b/a.npy")), Path::new("b"));
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = lock(&path).unwrap();
        assert!(held.is_some() && lock(&path).unwrap().is_none());
        drop(held);
        assert!(lock(&path).unwrap().is_some());
    }

    #[test]
    fn a_look_at_a_lock_neither_makes_the_file_nor_keeps_a_process_from_locking_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(!is_locked(&path).unwrap() && !path.exists());
        let held = lock(&path).unwrap();
        assert!(held.is_some() && is_locked(&path).unwrap());
        drop(held);
        assert!(!is_locked(&path).unwrap());
        // A look that takes its time.
        let looking = File::open(&path).unwrap();
        looking.lock_shared().unwrap();
        assert!(!is_locked(&path).unwrap(), "others may look, too");
        thread::scope(|scope| {
            let locking = scope.spawn(|| lock(&path).unwrap());
            thread::sleep(Duration::from_millis(20));
            drop(looking);
            assert!(locking.join().unwrap().is_some());
        });
        let below = folder.path().join("folder");
        fs::create_dir(&below).unwrap();
        assert!(is_locked(&below).unwrap_err().to_string().contains("is a folder"));
    }

    #[test]
    fn the_space_for_what_is_not_there_yet_is_that_of_its_disk() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_space(&folder.path().join("not/yet")).unwrap() > 0);
        assert!(free_space(Path::new("a bare name")).unwrap() > 0);
    }
}
