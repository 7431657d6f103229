//! The sections of a split's shards: from the index, and by looking through those shards that it does not know.

use crate::index::{Places, Section, Stamp};
use fmicl_core::{Error, Result};
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Shards to open.
pub(crate) struct Request<'a> {
    pub root: &'a Path,
    pub files: Vec<PathBuf>,
    /// The options that the sections depend on.
    pub what: String,
    /// Pieces of a sample.
    pub pieces: usize,
    /// Ends the sentence where a shard is missing.
    pub hint: &'a str,
}

/// A split's shards: the files, what is known of each, and lines about how that went.
pub(crate) struct Opened {
    pub files: Vec<PathBuf>,
    pub sections: Vec<Section>,
    pub notes: Vec<String>,
}

impl Request<'_> {
    /// The sections of the shards, in their order. `scan` looks through one.
    ///
    /// # Errors
    /// [`Error::Data`] where a shard is missing, and errors of `scan`: those of the first shard that has one.
    pub fn open(self, scan: impl Fn(&Path, Stamp) -> Result<Section> + Sync) -> Result<Opened> {
        let places = Places::new(self.root, self.what);
        let known = places.load(self.pieces).into_iter();
        let mut known: HashMap<PathBuf, Section> = known.map(|section| (section.name.clone(), section)).collect();
        let name = |path: &Path| path.strip_prefix(self.root).unwrap_or(path).to_path_buf();
        let mut from_index = Vec::with_capacity(self.files.len());
        for path in &self.files {
            let stamp = Stamp::of(path, self.hint)?;
            let section = known.remove(&name(path)).filter(|section| section.stamp == stamp);
            from_index.push((path, stamp, section));
        }
        let is_complete = from_index.iter().all(|(_, _, section)| section.is_some());
        let sections = from_index.into_par_iter().map(|(path, stamp, section)| match section {
            Some(section) => Ok(section),
            None => scan(path, stamp).map(|section| Section {
                name: name(path),
                ..section
            }),
        });
        // In parallel any error could be the first.
        let sections: Vec<Result<Section>> = sections.collect();
        let sections = sections.into_iter().collect::<Result<Vec<_>>>()?;
        let mut notes = Vec::new();
        if !is_complete {
            // Shards of another split, or of before, stay known.
            let all: Vec<_> = sections.iter().cloned().chain(known.into_values()).collect();
            notes.extend(places.save(&all));
        }
        Ok(Opened {
            files: self.files,
            sections,
            notes,
        })
    }
}

impl Opened {
    /// Returns true if the samples have labels.
    ///
    /// # Errors
    /// [`Error::Data`] where some shards have labels and others none.
    pub fn is_labelled(&self) -> Result<bool> {
        let is_labelled = |section: &Section| !section.labels.is_empty();
        let first = self.sections.first().is_some_and(is_labelled);
        let other = self.sections.iter().position(|section| is_labelled(section) != first);
        let Some(other) = other else { return Ok(first) };
        let (with, without) = if first { (0, other) } else { (other, 0) };
        let message = format!(
            "no sample has a label, but those of {} have; `labels = false` trains without",
            self.files[with].display()
        );
        Err(Error::data(&self.files[without], message))
    }

    /// The highest label.
    pub fn highest(&self) -> Option<u32> {
        self.sections.iter().flat_map(|section| &section.labels).max().copied()
    }
}
