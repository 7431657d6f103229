//! The list of samples to leave out.

use crate::datasets::files::read_at_most;
use csv::{ReaderBuilder, StringRecord};
use fmicl_core::{Error, Result, Samples, Source};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The columns of a list, in the order in which they are written. The last one is for people.
pub const COLUMNS: [&str; 4] = ["split", "sample", "path", "why"];

/// A list of ten million samples has less.
const MOST: u64 = 2 << 30;
const HINT: &str = "`fmicl data check DATASET --list FILE` writes such a list";

/// A sample's path below the folder in which its dataset is, or the whole path: the same wherever that folder lies.
pub fn path_below(source: &Source, path: &Path) -> String {
    let below = source
        .looks_in
        .iter()
        .filter_map(|folder| path.strip_prefix(folder).ok());
    // The folder of the dataset itself, where its data folder is one of them.
    let below = below.min_by_key(|below| below.as_os_str().len());
    below.unwrap_or(path).to_string_lossy().into_owned()
}

/// The entries of a list.
pub struct List {
    path: PathBuf,
    entries: Vec<Entry>,
}

struct Entry {
    line: u64,
    split: String,
    sample: Option<usize>,
    /// Empty for a sample without a file.
    path: String,
}

impl List {
    /// # Errors
    /// [`Error::Data`] with the line that is not as it should be.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read_at_most(path, MOST, HINT)?;
        let mut table = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(&bytes[..]);
        let mut list = List {
            path: path.into(),
            entries: vec![],
        };
        let mut columns: Option<[usize; 3]> = None;
        let mut record = StringRecord::new();
        loop {
            let line = table.position().line();
            let is_there = table.read_record(&mut record);
            if !is_there.map_err(|_| list.wrong(line, "is no text in UTF-8"))? {
                break;
            }
            let Some([split, sample, below]) = columns else {
                let place = |name: &str| record.iter().position(|found| found.trim() == name);
                let [split, sample, path, _] = COLUMNS.map(place);
                let (Some(split), Some(sample), Some(path)) = (split, sample, path) else {
                    return Err(list.wrong(line, "a first row with the columns split, sample and path is expected"));
                };
                columns = Some([split, sample, path]);
                continue;
            };
            let field = |place: usize| record.get(place).unwrap_or_default().to_string();
            let (split, sample, below) = (field(split), field(sample), field(below));
            if !["train", "pretrain", "test"].contains(&&*split) {
                let what = format!(
                    "the split `{}` is none of train, pretrain and test",
                    split.escape_debug()
                );
                return Err(list.wrong(line, what));
            }
            let sample = sample.parse().ok();
            if below.is_empty() && sample.is_none() {
                return Err(list.wrong(line, "has neither a path nor the index of a sample"));
            }
            list.entries.push(Entry {
                line,
                split,
                sample,
                path: below,
            });
        }
        match columns {
            Some(_) => Ok(list),
            None => Err(Error::data(path, format!("is empty; {HINT}"))),
        }
    }

    /// The samples of a split, which has these names, that are on the list.
    ///
    /// # Errors
    /// [`Error::Data`] with the line of one that is not there.
    pub fn find(&self, names: &[&str], samples: &dyn Samples, source: &Source) -> Result<BTreeSet<usize>> {
        let mut found = BTreeSet::new();
        let mut paths: Option<HashMap<String, usize>> = None;
        for entry in self.entries.iter().filter(|entry| names.contains(&&*entry.split)) {
            let index = match entry.path.is_empty() {
                true => entry.sample.filter(|&index| index < samples.len()),
                false => {
                    let paths = paths.get_or_insert_with(|| {
                        let below = |index| Some((path_below(source, &samples.path(index)?), index));
                        (0..samples.len()).filter_map(below).collect()
                    });
                    paths.get(&entry.path).copied()
                }
            };
            let Some(index) = index else {
                let what = match entry.path.is_empty() {
                    true => format!("there are {} samples in {}", samples.len(), names[0]),
                    false => format!("there is no `{}` in {}", entry.path.escape_debug(), names[0]),
                };
                let what = format!("{what}: the dataset changed, or is another one; write the list again");
                return Err(self.wrong(entry.line, what));
            };
            found.insert(index);
        }
        Ok(found)
    }

    fn wrong(&self, line: u64, what: impl std::fmt::Display) -> Error {
        Error::data(&self.path, format!("line {line}: {what}"))
    }
}
