//! `manifest`: photos that a list of the user's own names, with their labels and splits.

mod classes;
mod list;
mod named;
mod rows;
mod there;

use super::files::write;
use super::photos::write_photo;
use fmicl_core::{Dataset, Documented, Error, Result, Samples, Source, Split, register, require, toml};
use list::List;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Image files that a list names, a row each: CSV, tab-separated or JSON lines; semicolons, tabs and bars separate columns as well as
/// commas. The column `path` is required; `label` and `split` may be there, and other columns are not read.
///
/// A label is a name or a whole number. Where all of the list are whole numbers, classes are numbered in their order, otherwise in the
/// order of their names as `image-folder`'s; the classes are those of all rows. A split is `train` (or `training`), `val` (`valid`, `validation`,
/// `dev`) or `test` (`testing`), and `train` without that column. Each file may be named once.
///
/// A weight is a number from 0 that says how often pre-training draws a photo beside others: an epoch draws each at most once, in the share of
/// epochs that its weight is of the largest in the split, and is so much shorter. Evaluations do not heed it.
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
    /// The name of the column of weights; `""` reads none.
    pub weight: String,
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
const WEIGHT: &str = "weight";

impl Default for Manifest {
    fn default() -> Self {
        Manifest {
            file: PathBuf::new(),
            root: None,
            path: PATH.into(),
            label: LABEL.into(),
            split: SPLIT.into(),
            weight: WEIGHT.into(),
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
        let list = List::read(self)?;
        let (part, notes) = match split {
            Split::Pretrain | Split::Train => (Part::Train, vec![]),
            Split::Test => list.tested_on()?,
        };
        Ok(Box::new(list.samples(part, notes)?))
    }

    fn source(&self) -> Source {
        Source {
            looks_in: vec![self.file.clone(), Path::new(".").join(self.root())],
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
}

#[cfg(test)]
mod tests;
