//! The file under way: `NAME.partial`, and beside it `NAME.partial.version`, what the server called that version.

use fmicl_core::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The bytes of a file that have come so far, locked against other processes.
pub(crate) struct Partial {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Partial {
    /// Opens what is there of `target`, or begins it.
    pub fn open(target: &Path) -> Result<Self> {
        let path = with_suffix(target, ".partial");
        let refused = |error| Error::io(&path, error);
        let mut options = File::options();
        let mut file = options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(refused)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(Error::data(&path, "another process is downloading it")),
            // Some network disks have no locks.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let len = file.seek(SeekFrom::End(0)).map_err(refused)?;
        Ok(Partial { path, file, len })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// What the server called the version that these bytes are of: an `ETag`, or else a date.
    pub fn version(&self) -> Option<String> {
        let text = fs::read_to_string(self.version_path()).ok()?;
        let text = text.trim();
        // It becomes a header.
        (!text.is_empty() && text.chars().all(|c| c == ' ' || c.is_ascii_graphic())).then(|| text.to_string())
    }

    /// Begins again, with bytes of this version.
    pub fn restart(&mut self, version: Option<&str>) -> Result<()> {
        // First the bytes: a kill in between must not leave those of the old version under the new one's name.
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|error| Error::io(&self.path, error))?;
        self.len = 0;
        let path = self.version_path();
        match version {
            Some(version) => fs::write(&path, version).map_err(|error| Error::io(path, error))?,
            None => remove(&path),
        }
        Ok(())
    }

    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .map_err(|error| Error::io(&self.path, error))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// The whole file takes its name.
    pub fn finish(self, target: &Path) -> Result<()> {
        remove(&self.version_path());
        fs::rename(&self.path, target).map_err(|error| Error::io(target, error))
    }

    pub fn remove(self) {
        remove(&self.version_path());
        remove(&self.path);
    }

    fn version_path(&self) -> PathBuf {
        with_suffix(&self.path, ".version")
    }
}

/// `a/b.c` and `.d` make `a/b.c.d`.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// What cannot be removed stays; the next run meets it again.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_on_where_it_was_left() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.zip");
        let mut partial = Partial::open(&target).unwrap();
        partial.restart(Some("\"v1\"")).unwrap();
        partial.append(b"abc").unwrap();
        drop(partial);
        let mut partial = Partial::open(&target).unwrap();
        assert_eq!((partial.len(), partial.version()), (3, Some("\"v1\"".into())));
        partial.append(b"def").unwrap();
        partial.finish(&target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"abcdef");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn two_cannot_write_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.zip");
        let _first = Partial::open(&target).unwrap();
        let error = Partial::open(&target).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.ends_with("a.zip.partial: another process is downloading it"),
            "{error}"
        );
    }
}
