//! Copies of what is packed in shards, back to back in a file for each: beside the shards, or in the user's cache folder.

use crate::index::cache_folder;
use crate::section::{Content, Stamp};
use fmicl_core::{Error, Result, disk};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The folder of the copies.
const FOLDER: &str = ".fmicl-unpacked";

/// The folders that copies of a dataset may lie in.
fn folders(root: &Path) -> impl Iterator<Item = PathBuf> {
    let cache = cache_folder().map(|cache| cache.join("unpacked"));
    std::iter::once(root.join(FOLDER)).chain(cache)
}

/// Returns true if the copy that an index tells of is there as it was made: a file of its own in one of the folders, whatever
/// else a foreign index may say, with the same bytes.
pub(crate) fn is_there(root: &Path, content: &Content) -> bool {
    let path = root.join(&content.path);
    let is_within = path.file_name().is_some() && folders(root).any(|folder| path.parent() == Some(&folder));
    let is_file = || std::fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && file.len() == content.bytes);
    let is_same = || Stamp::of(&path, "").is_ok_and(|stamp| stamp == content.stamp);
    is_within && is_file() && (is_same() || checksum(&path).is_ok_and(|sum| sum == content.crc32))
}

/// The checksum of a file, read in pieces.
fn checksum(path: &Path) -> std::io::Result<u32> {
    let (mut file, mut sum) = (File::open(path)?, crc32fast::Hasher::new());
    let mut bytes = vec![0; 1 << 20];
    loop {
        match file.read(&mut bytes) {
            Ok(0) => return Ok(sum.finalize()),
            Ok(count) => sum.update(&bytes[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// For so long a copy that is being made is not written to only where its process was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes what killed processes left of the copy of this name; what cannot be removed stays.
fn remove_abandoned(folder: &Path, name: &str) {
    let start = format!(".{name}.");
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_part = entry.file_name().to_string_lossy().starts_with(&start);
        let written = entry.metadata().and_then(|metadata| metadata.modified()).ok();
        let age = written.and_then(|written| written.elapsed().ok());
        if is_part && age.is_some_and(|age| age > ABANDONED) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Refuses to unpack so many bytes to a disk that has fewer.
fn check_room(folder: &Path, size: u64, free: u64) -> Result<()> {
    if size <= free {
        return Ok(());
    }
    let message = format!(
        "{} MB are still to be unpacked to it, and its disk has {} MB left",
        size.div_ceil(1_000_000),
        free / 1_000_000
    );
    Err(Error::data(folder, message))
}

/// Where copies are written.
pub(crate) struct Unpacked {
    root: PathBuf,
    /// A number of the options that they depend on.
    options: u32,
}

impl Unpacked {
    /// `what` says on which options the copies depend.
    pub fn new(root: &Path, what: &str) -> Self {
        Unpacked {
            root: root.into(),
            options: crc32fast::hash(what.as_bytes()),
        }
    }

    /// Waits until no other process makes the same copies; until the handle is dropped no other one begins.
    pub fn turn(&self) -> Option<File> {
        let lock = std::env::temp_dir().join(format!("fmicl-unpack-{:08x}.lock", self.number(&self.root)));
        loop {
            match disk::lock(&lock) {
                Ok(None) => std::thread::sleep(Duration::from_millis(100)),
                // Without locks two processes do the work twice.
                turn => return turn.ok().flatten(),
            }
        }
    }

    /// A number of a path and of the options.
    fn number(&self, path: &Path) -> u32 {
        let path = path.canonicalize().unwrap_or_else(|_| path.into());
        let mut sum = crc32fast::Hasher::new_with_initial(self.options);
        sum.update(path.as_os_str().as_encoded_bytes());
        sum.finalize()
    }

    /// Checks that there is room for all copies that are to be made, before the first is.
    ///
    /// # Errors
    /// [`Error::Data`] where there is none; a folder that cannot be written is told when a copy begins.
    pub fn require_room(&self, size: u64) -> Result<()> {
        let can_be_written = |folder: &PathBuf| Output::create(&self.root, folder, "room").is_ok();
        let folder = folders(&self.root).filter(|_| size > 0).find(can_be_written);
        folder.map_or(Ok(()), |folder| check_room(&folder, size, disk::free_space(&folder)?))
    }

    /// Begins the copy of what is packed in the shard at `path`, about `size` bytes.
    ///
    /// # Errors
    /// [`Error::Data`] where there is no room, [`Error::Io`] where no folder can be written.
    pub fn create(&self, path: &Path, size: u64) -> Result<Output> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("{name}-{:08x}.bytes", self.number(path));
        let mut failed = None;
        for folder in folders(&self.root) {
            match Output::create(&self.root, &folder, &name) {
                Ok(output) => {
                    check_room(&folder, size, disk::free_space(&folder)?)?;
                    tracing::info!(
                        "{}: compressed, so it is unpacked once, {} MB to {}",
                        path.display(),
                        size.div_ceil(1_000_000),
                        folder.display()
                    );
                    return Ok(output);
                }
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| Error::Run("there is no folder to unpack to".into())))
    }
}

/// A copy that is being made; it has its name when it is whole.
pub(crate) struct Output {
    root: PathBuf,
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    sum: crc32fast::Hasher,
}

impl Output {
    fn create(root: &Path, folder: &Path, name: &str) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let path = folder.join(name);
        remove_abandoned(folder, name);
        // Another process, on another machine perhaps, may make the same copy.
        let own = RandomState::new().build_hasher().finish();
        let partial = disk::partial(&folder.join(format!("{name}.{own:016x}")));
        let file = File::create_new(&partial).map_err(|error| Error::io(&partial, error))?;
        Ok(Output {
            root: root.into(),
            path,
            partial,
            file: BufWriter::with_capacity(1 << 20, file),
            bytes: 0,
            sum: crc32fast::Hasher::new(),
        })
    }

    /// Adds a piece and returns its offset.
    ///
    /// # Errors
    /// [`Error::Io`] where the disk refuses.
    pub fn add(&mut self, bytes: &[u8]) -> Result<u64> {
        self.file
            .write_all(bytes)
            .map_err(|error| Error::io(&self.partial, error))?;
        self.sum.update(bytes);
        let offset = self.bytes;
        self.bytes += bytes.len() as u64;
        Ok(offset)
    }

    /// Ends the copy.
    ///
    /// # Errors
    /// [`Error::Io`] where the disk refuses.
    pub fn finish(&mut self) -> Result<Content> {
        self.file.flush().map_err(|error| Error::io(&self.partial, error))?;
        disk::sync(&self.partial)?;
        std::fs::rename(&self.partial, &self.path).map_err(|error| Error::io(&self.path, error))?;
        Ok(Content {
            path: self.path.strip_prefix(&self.root).unwrap_or(&self.path).to_path_buf(),
            bytes: self.bytes,
            crc32: self.sum.clone().finalize(),
            stamp: Stamp::of(&self.path, "it was written a moment ago")?,
        })
    }
}

impl Drop for Output {
    /// What is left of one that was not ended helps nobody.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.partial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_copies_of_one_shard_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let unpacked = Unpacked::new(folder.path(), "what");
        let begin = || unpacked.create(&folder.path().join("a.parquet"), 0).unwrap();
        let (mut first, mut second) = (begin(), begin());
        // What a killed process left long ago goes, and what is being written stays.
        let killed = first.partial.with_extension("killed");
        let file = File::create(&killed).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        drop(begin());
        assert!(!killed.exists());
        first.add(b"one ").unwrap();
        second.add(b"one two").unwrap();
        first.add(b"two").unwrap();
        for mut output in [first, second] {
            let content = output.finish().unwrap();
            assert_eq!(std::fs::read(folder.path().join(&content.path)).unwrap(), b"one two");
            assert!(is_there(folder.path(), &content));
        }
        assert_eq!(std::fs::read_dir(folder.path().join(FOLDER)).unwrap().count(), 1);
    }

    #[test]
    fn copies_that_do_not_fit_are_refused_before_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let unpacked = Unpacked::new(folder.path(), "what");
        unpacked.require_room(1).unwrap();
        let error = unpacked.require_room(u64::MAX).unwrap_err().to_string();
        assert!(
            error.contains("/.fmicl-unpacked: 18446744073710 MB are still to be unpacked to it"),
            "{error}"
        );
        assert_eq!(std::fs::read_dir(folder.path().join(FOLDER)).unwrap().count(), 0);
    }

    #[test]
    fn a_copy_elsewhere_or_of_other_content_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut output = Unpacked::new(folder.path(), "what")
            .create(&folder.path().join("a.parquet"), 0)
            .unwrap();
        output.add(b"content").unwrap();
        let content = output.finish().unwrap();
        let path = folder.path().join(&content.path);
        let outside = folder.path().join("outside");
        std::fs::write(&outside, b"content").unwrap();
        for other in [
            "outside",
            ".fmicl-unpacked/../outside",
            "/etc/passwd",
            outside.to_str().unwrap(),
        ] {
            let content = Content {
                path: other.into(),
                ..content.clone()
            };
            assert!(!is_there(folder.path(), &content), "{other}");
        }
        // Copied back, it is another file with the same bytes.
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&outside, &path).unwrap();
        assert!(!is_there(folder.path(), &content), "a link");
        std::fs::remove_file(&path).unwrap();
        std::fs::copy(&outside, &path).unwrap();
        assert!(is_there(folder.path(), &content));
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, b"CONTENT").unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        assert!(!is_there(folder.path(), &content), "other bytes");
    }
}
