//! Samples that lie in shards, each read by itself at its offset.

use crate::opened::Opened;
use crate::section::{Section, Stamp};
use fmicl_core::{Bands, Error, Image, Patch, Portion, Region, Result, Samples, open_file};
use fmicl_data::{decode, decode_bands};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Shards that stay open; the others are opened for each read, as a photo of its own would be.
const MOST_OPEN: usize = 256;

/// A shard's samples.
struct Shard {
    /// The shard, by which errors call it.
    shard: PathBuf,
    /// The file that the samples are read from: the shard, or a copy of what is packed in it.
    path: PathBuf,
    /// How that file was when the dataset was opened.
    stamp: Stamp,
    /// Open, if it is one of the first.
    file: Option<File>,
    section: Section,
}

/// A split.
pub(crate) struct Shards {
    shards: Vec<Shard>,
    /// Samples up to the end of each shard.
    ends: Vec<usize>,
    /// Pieces of a sample: one, or two or three texts.
    pieces: usize,
    classes: usize,
    class_names: Vec<String>,
    notes: Vec<String>,
    name: Name,
}

/// Tells how a sample is called: of a shard's file, what is known of it, and the piece that the sample begins with.
pub(crate) type Name = fn(&File, &Section, usize) -> Option<String>;

impl Shards {
    /// Samples without labels, of `pieces` pieces each.
    ///
    /// # Errors
    /// [`Error::Data`] or [`Error::Io`] where a shard cannot be opened.
    pub fn new(opened: Opened, pieces: usize, name: Name) -> Result<Self> {
        let mut left_out = BTreeMap::<String, usize>::new();
        for (kind, count) in opened.sections.iter().flat_map(|section| &section.left_out) {
            *left_out.entry(kind.clone()).or_default() += count;
        }
        let mut notes = opened.notes;
        if let (false, Some(first)) = (left_out.is_empty(), opened.files.first()) {
            let count: usize = left_out.values().sum();
            let kinds: Vec<_> = left_out.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            let folder = first.parent().unwrap_or(first).display();
            notes.push(format!(
                "{folder}: {count} entries of shards left out: {}",
                kinds.join(", ")
            ));
        }
        let contents: Vec<_> = opened
            .sections
            .iter()
            .filter_map(|section| section.content.as_ref())
            .collect();
        if let Some(first) = contents.first() {
            let folder = opened.root.join(first.path.parent().unwrap_or(&first.path));
            let megabytes = contents
                .iter()
                .map(|content| content.bytes)
                .sum::<u64>()
                .div_ceil(1_000_000);
            let count = contents.len();
            notes.push(format!(
                "{}: holds {megabytes} MB, unpacked once, of {count} compressed shards",
                folder.display()
            ));
        }
        let both = opened.files.into_iter().zip(opened.sections).enumerate();
        let shards = both.map(|(number, (shard, section))| {
            let path = section
                .content
                .as_ref()
                .map_or_else(|| shard.clone(), |content| opened.root.join(&content.path));
            let stays = number < MOST_OPEN;
            let file = stays.then(|| open_file(&path, GONE)).transpose()?;
            let stamp = match section.content {
                None => section.stamp,
                // Another process may have made the same copy again.
                Some(_) => Stamp::of(&path, GONE)?,
            };
            Ok(Shard {
                shard,
                path,
                stamp,
                file,
                section,
            })
        });
        let shards = shards.collect::<Result<Vec<_>>>()?;
        let add = |sum: &mut usize, shard: &Shard| {
            *sum += shard.section.offsets.len() / pieces;
            Some(*sum)
        };
        let ends = shards.iter().scan(0, add).collect();
        Ok(Shards {
            shards,
            ends,
            pieces,
            classes: 0,
            class_names: vec![],
            notes,
            name,
        })
    }

    /// The same with labels below `classes`, whose names may be known.
    ///
    /// # Errors
    /// [`Error::Data`] for a sample with another label.
    pub fn labelled(self, classes: usize, class_names: Vec<String>) -> Result<Self> {
        for shard in &self.shards {
            let wrong = shard.section.labels.iter().position(|&label| label as usize >= classes);
            if let Some(index) = wrong {
                let label = shard.section.labels[index];
                let message = format!("has the label {label}, and there are {classes} classes");
                return Err(self.error(shard, index * self.pieces, message));
            }
        }
        Ok(Shards {
            classes,
            class_names,
            ..self
        })
    }

    /// Adds a line for [`Samples::notes`].
    pub fn with_note(mut self, note: Option<String>) -> Self {
        self.notes.extend(note);
        self
    }

    /// The shard of a sample, and the number of its first piece there.
    fn find(&self, index: usize) -> (&Shard, usize) {
        let shard = self.ends.partition_point(|&end| end <= index);
        let before = if shard == 0 { 0 } else { self.ends[shard - 1] };
        (&self.shards[shard], (index - before) * self.pieces)
    }

    /// The same error, with the name of its sample where it is of the data.
    fn named(&self, shard: &Shard, piece: usize, error: Error) -> Error {
        match error {
            Error::Data { message, .. } => self.error(shard, piece, message),
            other => other,
        }
    }

    /// An error about a sample: its name follows that of the shard as if it were a folder.
    fn error(&self, shard: &Shard, piece: usize, message: String) -> Error {
        let file = shard.with_file(|file| Ok((self.name)(file, &shard.section, piece)));
        match file.ok().flatten() {
            Some(name) => Error::data(shard.shard.join(name), message),
            None => Error::data(&shard.shard, message),
        }
    }
}

impl Shard {
    /// Calls `read` with the open file.
    fn with_file<T>(&self, read: impl FnOnce(&File) -> Result<T>) -> Result<T> {
        match &self.file {
            Some(file) => read(file),
            None => {
                let file = open_file(&self.path, GONE)?;
                let metadata = file.metadata().map_err(|error| Error::io(&self.path, error))?;
                match Stamp::new(&metadata).is_as(&self.stamp) {
                    true => read(&file),
                    false => Err(Error::data(&self.path, "has changed since it was opened; start again")),
                }
            }
        }
    }

    /// The bytes of a piece.
    fn read(&self, piece: usize) -> Result<Vec<u8>> {
        let (offset, length) = (self.section.offsets[piece], self.section.lengths[piece] as usize);
        let mut bytes = vec![0; length];
        self.with_file(|file| {
            file.read_exact_at(&mut bytes, offset)
                .map_err(|error| match error.kind() {
                    ErrorKind::UnexpectedEof => {
                        let end = offset + length as u64;
                        Error::data(
                            &self.path,
                            format!("ends before byte {end}: it has changed since it was opened; start again"),
                        )
                    }
                    _ => Error::io(&self.path, error),
                })
        })?;
        Ok(bytes)
    }
}

const GONE: &str = "it was there when the dataset was opened";

impl Samples for Shards {
    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn class_names(&self) -> Vec<String> {
        self.class_names.clone()
    }

    fn image(&self, index: usize) -> Result<Image> {
        let patch = self.patch(index, &mut Region::whole)?;
        let Region { width, height, .. } = patch.region;
        Ok(Image::new(width, height, patch.pixels.into_owned()))
    }

    fn patch(&self, index: usize, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'_>> {
        let (shard, piece) = self.find(index);
        let bytes = shard.read(piece)?;
        decode(&bytes, &shard.shard, choose).map_err(|error| self.named(shard, piece, error))
    }

    fn bands(&self, index: usize, channels: usize) -> Result<Bands> {
        let (shard, piece) = self.find(index);
        let bytes = shard.read(piece)?;
        decode_bands(&bytes, &shard.shard, channels).map_err(|error| self.named(shard, piece, error))
    }

    fn texts(&self, index: usize) -> Result<Vec<Cow<'_, str>>> {
        let (shard, first) = self.find(index);
        let texts = (first..first + self.pieces).map(|piece| {
            let text = String::from_utf8(shard.read(piece)?);
            text.map(Cow::Owned)
                .map_err(|_| self.error(shard, piece, "is not UTF-8: it has changed since it was opened".into()))
        });
        texts.collect()
    }

    /// One for each shard: no content is read, but the names, sizes and labels that were found when the index was made.
    fn portions(&self) -> Vec<Portion> {
        let portion = |shard: &Shard| {
            let samples = shard.section.offsets.len() / self.pieces;
            let crc32 = shard.section.crc32.to_le_bytes();
            Portion::new(shard.section.name.to_string_lossy(), samples, [crc32])
        };
        self.shards.iter().map(portion).collect()
    }

    fn label(&self, index: usize) -> usize {
        if self.classes == 0 {
            return 0;
        }
        let (shard, piece) = self.find(index);
        shard.section.labels[piece / self.pieces] as usize
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}
