//! Copies of what is packed in shards, back to back in a file for each: beside the shards, or in the user's cache folder.

use crate::index::cache_folder;
use crate::section::Content;
use fmicl_core::{Error, Result, disk};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The folder of the copies.
const FOLDER: &str = ".fmicl-unpacked";

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

    /// Begins the copy of what is packed in the shard at `path`, about `size` bytes.
    ///
    /// # Errors
    /// [`Error::Data`] where there is no room, [`Error::Io`] where no folder can be written.
    pub fn create(&self, path: &Path, size: u64) -> Result<Output> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("{name}-{:08x}.bytes", self.number(path));
        let folders = [
            Some(self.root.join(FOLDER)),
            cache_folder().map(|cache| cache.join("unpacked")),
        ];
        let mut failed = None;
        for folder in folders.into_iter().flatten() {
            match Output::create(&self.root, &folder, &name) {
                Ok(output) => {
                    let free = disk::free_space(&folder)?;
                    if size > free {
                        let message = format!(
                            "{} MB of {} are unpacked to it, and its disk has {} MB left",
                            size.div_ceil(1_000_000),
                            path.display(),
                            free / 1_000_000
                        );
                        return Err(Error::data(folder, message));
                    }
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
}

impl Output {
    fn create(root: &Path, folder: &Path, name: &str) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let path = folder.join(name);
        let partial = disk::partial(&path);
        let file = File::create(&partial).map_err(|error| Error::io(&partial, error))?;
        Ok(Output {
            root: root.into(),
            path,
            partial,
            file: BufWriter::with_capacity(1 << 20, file),
            bytes: 0,
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
        })
    }
}

impl Drop for Output {
    /// What is left of one that was not ended helps nobody.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.partial);
    }
}
