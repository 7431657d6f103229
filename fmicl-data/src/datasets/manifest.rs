//! `manifest`: photos that a list of the user's own names, with their labels and splits.

mod classes;
mod named;
mod rows;
mod there;

use super::files::write;
use super::photos::{Photos, write_photo};
use classes::Classes;
use fmicl_core::{
    Dataset, Documented, Error, Image, Patch, Portion, Region, Result, Samples, Source, Split, register, require, toml,
};
use named::Named;
use rows::{Columns, Row};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use there::There;

/// Image files that a list names, a row each: CSV, tab-separated or JSON lines. The column `path` is required; `label` and `split` may be
/// there, and other columns are not read.
///
/// A label is a name or a whole number. Where all of the list are whole numbers, classes are numbered in their order, otherwise in the
/// order of their names as `image-folder`'s; the classes are those of all rows. A split is `train` (or `training`), `val` (`valid`, `validation`,
/// `dev`) or `test` (`testing`), and `train` without that column. Each file may be named once. A column `weight` is refused, since every
/// sample is drawn once an epoch.
///
/// Files are decoded as `image-folder` decodes them, whatever their extension. They may lie anywhere.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    /// The list, `.csv`, `.tsv` or `.jsonl`, gzipped (`.gz`) or not; relative to the working directory. Required.
    pub file: PathBuf,
    /// The folder that relative paths in the list are below. Absent by default: the folder of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// The name of the column of paths.
    pub path: String,
    /// The name of the column of labels; `""` reads none.
    pub label: String,
    /// The name of the column of splits; `""` reads none.
    pub split: String,
    /// The rows to test on: `test`, `val`, or `train`. Absent by default: those of `test`, or where none of them has a label, of `val`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Part>,
}

/// A split of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Rows to train on.
    Train,
    /// Rows to choose settings by.
    Val,
    /// Rows to test on.
    Test,
}

impl Part {
    const ALL: [Part; 3] = [Part::Train, Part::Val, Part::Test];

    fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Val => "val",
            Part::Test => "test",
        }
    }
}

const PATH: &str = "path";
const LABEL: &str = "label";
const SPLIT: &str = "split";

impl Default for Manifest {
    fn default() -> Self {
        Manifest {
            file: PathBuf::new(),
            root: None,
            path: PATH.into(),
            label: LABEL.into(),
            split: SPLIT.into(),
            test: None,
        }
    }
}

register!(
    Dataset,
    "manifest",
    Manifest,
    "image files that a CSV, TSV or JSONL file names, with labels and splits"
);

impl Dataset for Manifest {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        if let Some(root) = self.root.as_ref().filter(|root| !root.is_dir()) {
            let message = "there is no such folder; `root` is the folder that the list's relative paths are below";
            return Err(Error::data(root, message));
        }
        require(!self.file.as_os_str().is_empty(), "file", || {
            "is missing: set it to a .csv, .tsv or .jsonl file with a column `path`".into()
        })?;
        let list = self.read()?;
        let samples = match split {
            Split::Pretrain | Split::Train => list.samples(self, Part::Train, vec![])?,
            Split::Test => {
                let (part, notes) = list.tested_on(self)?;
                list.samples(self, part, notes)?
            }
        };
        Ok(Box::new(samples))
    }

    fn source(&self) -> Source {
        Source {
            looks_in: vec![self.root().into(), self.file.clone()],
            by_hand: "the list is your own: `file` says where it lies".into(),
            ..Source::default()
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let mut list = "path,label,split\n".to_string();
        for (split, count) in [("train", 10), ("test", 4)] {
            for (class, name) in ["one", "two"].into_iter().enumerate() {
                for photo in 0..count {
                    let path = format!("photos/{split}-{name}-{photo}.png");
                    write_photo(&folder.join(&path), class, photo)?;
                    list += &format!("{path},{name},{split}\n");
                }
            }
        }
        let file = folder.join("list.csv");
        write(&file, list.as_bytes())?;
        let file = file.to_string_lossy().into_owned();
        Ok(toml::Table::from_iter([("file".to_string(), file.into())]))
    }
}

impl Manifest {
    fn root(&self) -> &Path {
        match &self.root {
            Some(root) => root,
            None => self.file.parent().unwrap_or(Path::new("")),
        }
    }

    /// Reads the whole list: classes are those of all splits, and a file may not be in two.
    fn read(&self) -> Result<List> {
        let mut list = List {
            parts: Default::default(),
            classes: Classes::default(),
            unread: Vec::new(),
        };
        let mut named = Named::new(self.root());
        let columns = Columns {
            path: &self.path,
            label: &self.label,
            split: &self.split,
        };
        list.unread = rows::each(&self.file, &columns, |row| {
            let Row {
                line,
                path,
                label,
                part,
            } = row;
            if let Some(before) = named.add(Path::new(&path), line) {
                return Err(rows::wrong(
                    &self.file,
                    line,
                    format_args!("`{path}` is on line {before} already"),
                ));
            }
            let of_part = &mut list.parts[part as usize];
            let label = label.map(|label| list.classes.add(label));
            if label.is_none() {
                of_part.first_without.get_or_insert(line);
            }
            of_part.entries.push(Entry { line, path, label });
            Ok(())
        })?;
        Ok(list)
    }
}

/// A list as it was read.
struct List {
    /// By `Part`.
    parts: [Entries; 3],
    classes: Classes,
    /// The columns that mean nothing here.
    unread: Vec<String>,
}

#[derive(Default)]
struct Entries {
    entries: Vec<Entry>,
    /// The first line without a label.
    first_without: Option<u64>,
}

struct Entry {
    line: u64,
    path: String,
    /// In the order of appearance.
    label: Option<usize>,
}

impl Entries {
    fn has_labels(&self) -> bool {
        self.entries.iter().any(|entry| entry.label.is_some())
    }
}

impl List {
    fn of(&self, part: Part) -> &Entries {
        &self.parts[part as usize]
    }

    /// The rows to test on, and a line where they are others than the first that were looked for, and for those that are not used.
    fn tested_on(&self, dataset: &Manifest) -> Result<(Part, Vec<String>)> {
        if let Some(part) = dataset.test {
            return Ok((part, vec![]));
        }
        let labelled = |part: &Part| self.of(*part).has_labels();
        let parts = [Part::Test, Part::Val];
        let there: Vec<_> = parts
            .into_iter()
            .filter(|&part| !self.of(part).entries.is_empty())
            .collect();
        let trained_with = self.of(Part::Train).has_labels();
        let Some(taken) = there.iter().copied().find(|part| !trained_with || labelled(part)) else {
            let message =
                "has no row of the split `test` or `val` with a label; `test = \"train\"` tests on the training photos";
            return Err(Error::data(&dataset.file, message));
        };
        let file = dataset.file.display();
        let note = |part: &Part| match labelled(part) || !trained_with {
            true => format!(
                "{file}: its rows of `{0}` are not used, since the test split is `{1}`; `test = \"{0}\"` tests on them",
                part.name(),
                taken.name()
            ),
            false => format!(
                "{file}: its rows of `{}` have no labels; the test split is `{}`",
                part.name(),
                taken.name()
            ),
        };
        Ok((taken, there.iter().filter(|part| **part != taken).map(note).collect()))
    }

    /// The samples of a split.
    fn samples(&self, dataset: &Manifest, part: Part, mut notes: Vec<String>) -> Result<Listed> {
        let Entries { entries, first_without } = self.of(part);
        let file = &dataset.file;
        if entries.is_empty() {
            let message = format!("has no row of the split `{}`; {}", part.name(), self.counts());
            return Err(Error::data(file, message));
        }
        // Photos to train on that have no labels make a dataset without.
        let has_labels = self.of(Part::Train).has_labels();
        if let (true, Some(line)) = (has_labels, first_without) {
            let message = format_args!("has no label, and others do; `label = \"\"` reads the list without labels");
            return Err(rows::wrong(file, *line, message));
        }
        let (names, numbers) = match has_labels {
            true => self.classes.sorted(),
            false => (vec![], vec![]),
        };
        let mut photos = Photos::new(dataset.root(), &names);
        let mut there = There::new(dataset.root());
        let mut content = Vec::new();
        for Entry { line, path, label } in entries {
            there
                .require(Path::new(path))
                .map_err(|why| rows::wrong(file, *line, why))?;
            let label = label.filter(|_| has_labels).map_or(0, |label| numbers[label]);
            let name = names
                .get(label)
                .map_or(String::new(), |name| name.to_string_lossy().into_owned());
            content.push(format!("{path}\0{name}\n"));
            photos.push_path(Path::new(path), label);
        }
        if !self.unread.is_empty() {
            notes.push(format!(
                "{}: columns that are not read: {}",
                file.display(),
                self.unread.join(", ")
            ));
        }
        if !has_labels {
            notes.push(format!("{}: its rows have no labels", file.display()));
        }
        photos.notes = notes;
        Ok(Listed {
            portion: Portion::new("", entries.len(), content),
            photos,
        })
    }

    /// The number of rows of each split, in words.
    fn counts(&self) -> String {
        let counts = Part::ALL.map(|part| format!("{} of `{}`", self.of(part).entries.len(), part.name()));
        format!("there are {}", counts.join(", "))
    }
}

/// Photos of a list. Their fingerprint has their labels, too, which no folder tells.
struct Listed {
    photos: Photos,
    portion: Portion,
}

impl Samples for Listed {
    fn len(&self) -> usize {
        self.photos.len()
    }

    fn classes(&self) -> usize {
        self.photos.classes()
    }

    fn image(&self, index: usize) -> Result<Image> {
        self.photos.image(index)
    }

    fn patch(&self, index: usize, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'_>> {
        self.photos.patch(index, choose)
    }

    fn portions(&self) -> Vec<Portion> {
        vec![self.portion.clone()]
    }

    fn label(&self, index: usize) -> usize {
        self.photos.label(index)
    }

    fn notes(&self) -> Vec<String> {
        self.photos.notes()
    }

    fn class_names(&self) -> Vec<String> {
        self.photos.class_names()
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        Some(self.photos.path(index))
    }
}

#[cfg(test)]
mod tests;
