//! Tar files of WebDataset, written one after the other. The same samples make the same bytes.

use super::content::Content;
use fmicl_core::{Error, Result, disk};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Add;
use std::path::{Path, PathBuf};
use tar::{Builder, Header};

/// The shards of a split: `train-000000.tar` and so on.
pub(super) struct Shards<'a> {
    folder: &'a Path,
    split: &'a str,
    /// The bytes at which a shard ends.
    most: u64,
    current: Option<Shard>,
    written: Written,
}

struct Shard {
    path: PathBuf,
    tar: Builder<BufWriter<File>>,
    bytes: u64,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub samples: usize,
    pub shards: usize,
    pub bytes: u64,
}

impl Add for Written {
    type Output = Written;

    fn add(self, other: Written) -> Written {
        Written {
            samples: self.samples + other.samples,
            shards: self.shards + other.shards,
            bytes: self.bytes + other.bytes,
        }
    }
}

impl<'a> Shards<'a> {
    pub fn new(folder: &'a Path, split: &'a str, most: u64) -> Self {
        Shards {
            folder,
            split,
            most,
            current: None,
            written: Written::default(),
        }
    }

    /// Adds a sample, whose key is its number.
    ///
    /// # Errors
    /// [`Error::Io`] where the disk refuses.
    pub fn add(&mut self, number: usize, label: Option<usize>, content: &Content) -> Result<()> {
        let mut shard = match self.current.take() {
            Some(shard) => shard,
            None => Shard::create(
                self.folder
                    .join(format!("{}-{:06}.tar", self.split, self.written.shards)),
            )?,
        };
        if let Some(label) = label {
            shard.append(&format!("{number:08}.cls"), label.to_string().as_bytes())?;
        }
        shard.append(&format!("{number:08}.{}", content.extension), &content.bytes)?;
        self.written.samples += 1;
        match shard.bytes < self.most {
            true => self.current = Some(shard),
            false => self.end(shard)?,
        }
        Ok(())
    }

    fn end(&mut self, shard: Shard) -> Result<()> {
        self.written.bytes += shard.finish()?;
        self.written.shards += 1;
        Ok(())
    }

    /// Ends the last shard.
    ///
    /// # Errors
    /// [`Error::Io`] where the disk refuses.
    pub fn finish(mut self) -> Result<Written> {
        if let Some(shard) = self.current.take() {
            self.end(shard)?;
        }
        Ok(self.written)
    }
}

impl Shard {
    fn create(path: PathBuf) -> Result<Self> {
        let file = File::create(&path).map_err(|error| Error::io(&path, error))?;
        Ok(Shard {
            path,
            tar: Builder::new(BufWriter::with_capacity(1 << 20, file)),
            bytes: 0,
        })
    }

    fn append(&mut self, name: &str, content: &[u8]) -> Result<()> {
        let mut header = Header::new_ustar();
        header.set_mode(0o644);
        // Of whom and when is nobody's business, and would make other bytes of the same samples.
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        let added = self.tar.append_data(&mut header, name, content);
        added.map_err(|error| Error::io(&self.path, error))?;
        self.bytes += 512 + (content.len() as u64).next_multiple_of(512);
        Ok(())
    }

    /// The bytes of the whole file.
    fn finish(self) -> Result<u64> {
        let written = self.tar.into_inner().and_then(|mut buffer| {
            buffer.flush()?;
            buffer.into_inner().map_err(io::IntoInnerError::into_error)?.metadata()
        });
        let bytes = written.map_err(|error| Error::io(&self.path, error))?.len();
        disk::sync(&self.path)?;
        Ok(bytes)
    }
}
