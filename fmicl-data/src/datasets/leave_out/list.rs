//! The list of samples to leave out.

use crate::datasets::files::read_at_most;
use crate::datasets::separator;
use csv::StringRecord;
use fmicl_core::{Error, Portion, Result, Samples, Source, encoding};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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

/// Begins the row that says of which samples a split was when the list was written; its name and [`fingerprint`] follow.
pub(super) const MADE_OF: &str = "# made of ";

/// The samples of a split in a word: where they have no files, their indices mean these alone.
pub(super) fn fingerprint(samples: &dyn Samples) -> String {
    let portions = samples.portions();
    let content = portions
        .iter()
        .map(|Portion { name, samples, crc32 }| format!("{name}\0{samples}\0{crc32}\n"));
    Portion::new("", samples.len(), content).crc32
}

/// The entries of a list.
pub struct List {
    path: PathBuf,
    entries: Vec<Entry>,
    /// By the name of the split.
    made_of: BTreeMap<String, String>,
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
        let text = encoding::whole(&bytes, path)?;
        let mut table = separator::reader(text, separator::of(text, b',', COLUMNS[0]));
        let mut list = List {
            path: path.into(),
            entries: vec![],
            made_of: BTreeMap::new(),
        };
        let mut columns: Option<[usize; 3]> = None;
        let mut record = StringRecord::new();
        loop {
            let line = table.position().line();
            let is_there = table.read_record(&mut record);
            // Nothing goes wrong with text in memory.
            if !is_there.map_err(|error| list.wrong(line, error))? {
                break;
            }
            let made_of = record.get(0).and_then(|field| field.strip_prefix(MADE_OF));
            if let Some((split, word)) = made_of.and_then(|made_of| made_of.split_once(' ')) {
                list.made_of.insert(split.into(), word.trim().into());
                continue;
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
        let mut paths: Option<HashMap<String, Option<usize>>> = None;
        let mut now: Option<String> = None;
        for entry in self.entries.iter().filter(|entry| names.contains(&&*entry.split)) {
            let before = self.made_of.get(&entry.split).filter(|_| entry.path.is_empty());
            if before.is_some_and(|before| now.get_or_insert_with(|| fingerprint(samples)) != before) {
                let what = "is an index of other samples: the dataset changed, or is another one; write the list again";
                return Err(self.wrong(entry.line, what));
            }
            let index = match entry.path.is_empty() {
                true => entry.sample.filter(|&index| index < samples.len()),
                false => {
                    let paths = paths.get_or_insert_with(|| {
                        let mut paths = HashMap::new();
                        for index in 0..samples.len() {
                            let Some(path) = samples.path(index) else { continue };
                            let several = |found: &mut Option<usize>| *found = None;
                            paths
                                .entry(path_below(source, &path))
                                .and_modify(several)
                                .or_insert(Some(index));
                        }
                        paths
                    });
                    match paths.get(&entry.path) {
                        // Names that are no UTF-8 are written with the same mark for whatever is none.
                        Some(None) => {
                            let what = format!(
                                "`{}` may be one of several files; rename them",
                                entry.path.escape_debug()
                            );
                            return Err(self.wrong(entry.line, what));
                        }
                        one => one.copied().flatten(),
                    }
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
