//! What is known of a shard: how it is told from another one, and where its samples lie.

use fmicl_core::{Error, Result, open_file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// By which a shard is told to be another one: its size, when it was written, and which file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub bytes: u64,
    seconds: i64,
    nanoseconds: i64,
    /// When anything about the file changed, its time of writing among that: nobody can set it back.
    changed: (i64, i64),
    inode: u64,
}

impl Stamp {
    /// Of the file at `path`.
    ///
    /// # Errors
    /// [`Error::Data`] where it is no regular file, with `hint`; [`Error::Io`] where the system refuses.
    pub fn of(path: &Path, hint: &str) -> Result<Self> {
        let metadata = open_file(path, hint)?.metadata();
        metadata
            .map(|metadata| Stamp::new(&metadata))
            .map_err(|error| Error::io(path, error))
    }

    /// Of an open file.
    pub fn new(metadata: &Metadata) -> Self {
        Stamp {
            bytes: metadata.len(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    /// Returns true if the other file has the content of this one: a link to it, or other rights, change nothing of that.
    pub fn is_as(&self, other: &Stamp) -> bool {
        let content = |stamp: &Stamp| (stamp.bytes, stamp.seconds, stamp.nanoseconds, stamp.inode);
        content(self) == content(other)
    }

    /// Returns true if the file was written so recently that another change may bear the same time.
    pub fn is_fresh(&self) -> bool {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        // A time to come is that of another clock, and as good as any.
        self.seconds.abs_diff(now.as_secs() as i64) < 2
    }
}

/// What is known of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Section {
    /// The shard's path, below the dataset's root where it lies there.
    pub name: PathBuf,
    pub stamp: Stamp,
    /// Where each piece of a sample begins: an image, or one of its texts, which follow each other.
    pub offsets: Vec<u64>,
    /// How many bytes each has.
    pub lengths: Vec<u32>,
    /// A label for each sample, or none at all.
    pub labels: Vec<u32>,
    /// A checksum of the samples' names, sizes and labels.
    pub crc32: u32,
    /// What is no sample, counted by its kind.
    pub left_out: BTreeMap<String, usize>,
    /// The file that the pieces lie in, where that is not the shard.
    pub content: Option<Content>,
    /// The names of the classes, where the shard has them.
    pub class_names: Vec<String>,
}

/// A copy of what is packed in a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// Below the dataset's root where it lies there.
    pub path: PathBuf,
    pub bytes: u64,
    pub crc32: u32,
    /// Of the copy; while it is the same, its bytes are.
    pub stamp: Stamp,
}

impl Section {
    /// Without samples yet.
    pub fn new(stamp: Stamp) -> Self {
        Section {
            name: PathBuf::new(),
            stamp,
            offsets: vec![],
            lengths: vec![],
            labels: vec![],
            crc32: 0,
            left_out: BTreeMap::new(),
            content: None,
            class_names: vec![],
        }
    }

    /// Counts one of a kind that is no sample.
    pub fn leave_out(&mut self, kind: &str) {
        match self.left_out.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(self.left_out.insert(kind.to_string(), 1)),
        }
    }

    /// Returns true if every piece lies in the file, and there are labels for all samples or none.
    pub fn is_sound(&self, pieces: usize) -> bool {
        let all = self.content.as_ref().map_or(self.stamp.bytes, |content| content.bytes);
        let within = |(&offset, &length): (&u64, &u32)| {
            let end = offset.checked_add(length.into());
            end.is_some_and(|end| end <= all)
        };
        let count = self.offsets.len();
        count == self.lengths.len()
            && count >= pieces
            && count.is_multiple_of(pieces)
            && (self.labels.is_empty() || self.labels.len() == count / pieces)
            && self.offsets.iter().zip(&self.lengths).all(within)
    }
}
