//! The sections of a split's shards: from the index, and by looking through those shards that it does not know.

use crate::index::Places;
use crate::section::{Section, Stamp};
use crate::unpacked::{self, Unpacked};
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
    /// Where a look through a shard copies what is packed in it, if it does, and how many bytes those are.
    pub unpacked: Option<(&'a Unpacked, &'a Size<'a>)>,
}

/// How many bytes of a shard are to be unpacked.
pub(crate) type Size<'a> = dyn Fn(&Path, Stamp) -> u64 + Sync + 'a;

/// A split's shards: the files, what is known of each, and lines about how that went.
pub(crate) struct Opened {
    /// The dataset's root.
    pub root: PathBuf,
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
        let places = Places::new(self.root, self.what.clone());
        let mut known = self.known(&places)?;
        // Of several processes one copies, and the others wait for it.
        let unpacked = self.unpacked.filter(|_| !known.is_complete());
        let turn = unpacked.and_then(|(unpacked, _)| unpacked.turn());
        if turn.is_some() {
            known = self.known(&places)?;
        }
        if let Some((unpacked, size)) = unpacked {
            let all: Vec<_> = self.files.iter().zip(&known.sections).collect();
            let sizes = all
                .into_par_iter()
                .filter_map(|(path, section)| Some(size(path, *section.as_ref().err()?)));
            unpacked.require_room(sizes.reduce(|| 0, u64::saturating_add))?;
        }
        let is_complete = known.is_complete();
        let Known { sections, others } = known;
        let from_index: Vec<_> = self.files.iter().zip(sections).collect();
        let look = |(path, section): (&PathBuf, std::result::Result<Section, Stamp>)| match section {
            Ok(section) => Ok(section),
            Err(stamp) => scan(path, stamp).map(|section| Section {
                name: self.name(path),
                ..section
            }),
        };
        // In parallel any error could be the first.
        let sections: Vec<Result<Section>> = match unpacked {
            Some(_) => from_index.into_par_iter().map(look).collect(),
            None => wide()?.install(|| from_index.into_par_iter().map(look).collect()),
        };
        let sections = sections.into_iter().collect::<Result<Vec<_>>>()?;
        let mut notes = Vec::new();
        if !is_complete {
            // Shards of another split, or of before, stay known.
            let all: Vec<_> = sections.iter().cloned().chain(others).collect();
            notes.extend(places.save(&all));
        }
        Ok(Opened {
            root: self.root.into(),
            files: self.files,
            sections,
            notes,
        })
    }
}

/// More threads than cores: headers lie far apart, and a disk reads many at a time faster than one after the other.
fn wide() -> Result<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(rayon::current_num_threads().max(32))
        .build();
    pool.map_err(|error| Error::Run(format!("cannot start the threads that read shards: {error}")))
}

impl Request<'_> {
    /// How a shard is called in the index.
    fn name(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.root).unwrap_or(path).to_path_buf()
    }

    /// What the index knows of the shards as they are.
    fn known(&self, places: &Places) -> Result<Known> {
        let sections = places.load(self.pieces).into_iter();
        let mut others: HashMap<PathBuf, Section> = sections.map(|section| (section.name.clone(), section)).collect();
        let is_there = |section: &Section| {
            let content = section.content.as_ref();
            content.is_none_or(|content| unpacked::is_there(self.root, content))
        };
        let section = |path: &PathBuf| {
            let stamp = Stamp::of(path, self.hint)?;
            let section = others.remove(&self.name(path));
            Ok(section
                .filter(|section| section.stamp == stamp && is_there(section))
                .ok_or(stamp))
        };
        Ok(Known {
            sections: self.files.iter().map(section).collect::<Result<_>>()?,
            others: others.into_values().collect(),
        })
    }
}

/// What an index knows.
struct Known {
    /// Of each shard, or how the shard is.
    sections: Vec<Result<Section, Stamp>>,
    /// Of shards that are not asked for.
    others: Vec<Section>,
}

impl Known {
    fn is_complete(&self) -> bool {
        self.sections.iter().all(Result::is_ok)
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
            "no sample has a label, but those of {} have; `labels = \"none\"` trains without",
            self.files[with].display()
        );
        Err(Error::data(&self.files[without], message))
    }

    /// Checks that the files of both have the same names of classes, since a label is the number of a name.
    ///
    /// # Errors
    /// [`Error::Data`] with two files that differ.
    pub fn require_same_classes(&self, other: Option<&Opened>) -> Result<()> {
        let both = std::iter::once(self).chain(other);
        let mut files = both.flat_map(|opened| opened.files.iter().zip(&opened.sections));
        let Some((first, section)) = files.next() else {
            return Ok(());
        };
        match files.find(|(_, other)| other.class_names != section.class_names) {
            None => Ok(()),
            Some((file, _)) => {
                let message = format!(
                    "its names of classes differ from those of {}, so that a label means another class; write both with the same \
                     features, or train without labels by `labels = \"none\"`",
                    first.display()
                );
                Err(Error::data(file, message))
            }
        }
    }

    /// The highest label.
    pub fn highest(&self) -> Option<u32> {
        self.sections.iter().flat_map(|section| &section.labels).max().copied()
    }
}
