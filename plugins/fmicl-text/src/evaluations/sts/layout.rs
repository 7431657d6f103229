//! What lies where the option `data` points.

use super::pairs::Pairs;
use super::senteval::{self, TASKS};
use crate::pool::Distinct;
use crate::scored::{self, Pair, Split};
use fmicl_core::{Error, Result};
use std::path::{Path, PathBuf};

pub(super) const WHAT: &str = "SentEval's data (downstream/STS/STS12-en-test, ...), a folder with dev.csv or test.csv (or .tsv) of the STS benchmark, or such a file";

/// The benchmark's name in SimCSE's tables.
const BENCHMARK: &str = "STS-B";
/// Its files: as its authors publish them, and as others do; in one of the endings, and perhaps gzipped.
const DEV: [&str; 4] = ["sts-dev", "dev", "validation", "val"];
const TEST: [&str; 2] = ["sts-test", "test"];
/// All splits in one file.
const WHOLE: [&str; 1] = ["stsbenchmark"];
const ENDINGS: [&str; 2] = [".csv", ".tsv"];

/// The pairs that were found.
#[derive(Default)]
pub(super) struct Found {
    /// The tasks by name, in the order of SimCSE's tables.
    pub tasks: Vec<(String, Pairs)>,
    /// What alignment and uniformity are of: the benchmark's development split, or the file that was named.
    pub geometry: Option<(String, Pairs)>,
    /// The tasks that are not there, if any is.
    pub missing: Vec<&'static str>,
    /// What the reader of a report should know of the files.
    pub notes: Vec<String>,
}

/// Reads the tasks `wanted`, or those that are there where none is named.
///
/// # Errors
/// [`Error::Data`] where `data` is none of what it may be, lacks what is wanted, or a file is not as it should be.
pub(super) fn read(data: &Path, wanted: &[String], sentences: &mut Distinct) -> Result<Found> {
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let mut found = Found::default();
    let mut benchmark = data.to_path_buf();
    if let Some(downstream) = senteval::downstream(data) {
        for task in TASKS.iter().filter(|task| is_wanted(task.name)) {
            if downstream.join(task.folder).is_dir() {
                found.tasks.push((task.name.into(), task.read(&downstream, sentences)?));
            } else {
                found.missing.push(task.name);
            }
        }
        benchmark = downstream.join("STS/STSBenchmark");
    } else if !data.is_dir() && !data.is_file() {
        let what = if data.exists() {
            "is no file or folder"
        } else {
            "there is no such file or folder"
        };
        return Err(Error::data(data, format!("{what}; `data` should name {WHAT}")));
    }
    if is_wanted(BENCHMARK) {
        let mut parts = Vec::new();
        for (path, of) in files(&benchmark, found.has_test()) {
            for (split, pairs) in read_file(&path, &mut found)? {
                parts.push((path.clone(), of, split, pairs));
            }
        }
        // What a file is named after comes before another's rows of that split.
        parts.sort_by_key(|(_, of, split, _)| split.is_some() && split != of);
        for (path, of, split, pairs) in parts {
            found.add(&path, split, of, &pairs, sentences);
        }
    }
    if let Some(name) = wanted
        .iter()
        .find(|name| found.tasks.iter().all(|(task, _)| task != *name))
    {
        return Err(Error::data(data, format!("does not hold {name}, which `tasks` names")));
    }
    if found.tasks.is_empty() && found.geometry.is_none() {
        return Err(Error::data(
            data,
            format!("holds no STS task; `data` should name {WHAT}"),
        ));
    }
    Ok(found)
}

impl Found {
    fn has_test(&self) -> bool {
        self.tasks.iter().any(|(name, _)| name == BENCHMARK)
    }

    /// Adds the pairs of a split, unless there are such, which is noted; those without a split are of the one that the file
    /// is named after.
    fn add(&mut self, path: &Path, split: Option<Split>, of: Option<Split>, pairs: &[Pair], sentences: &mut Distinct) {
        let is_test = split.or(of) == Some(Split::Test);
        let name = match split {
            _ if is_test => BENCHMARK.to_string(),
            Some(_) => format!("{BENCHMARK} dev"),
            None => format!("{BENCHMARK} {}", stem(path)),
        };
        let is_there = if is_test {
            self.has_test()
        } else {
            self.geometry.is_some()
        };
        if is_there {
            let (count, path) = (pairs.len(), path.display());
            self.notes.push(format!(
                "{count} pairs of {name} in {path} are left out: another file has that split"
            ));
            return;
        }
        let mut indexed = Pairs::default();
        for Pair {
            sentences: [one, two],
            score,
            ..
        } in pairs
        {
            indexed.push(sentences.index(one), sentences.index(two), *score);
        }
        match is_test {
            true => self.tasks.push((name, indexed)),
            false => self.geometry = Some((name, indexed)),
        }
    }
}

/// The benchmark's files that are read, and the split that each is named after.
fn files(benchmark: &Path, has_test: bool) -> Vec<(PathBuf, Option<Split>)> {
    if benchmark.is_file() {
        return vec![(benchmark.into(), None)];
    }
    let test = if has_test { None } else { find(benchmark, &TEST) };
    let dev = find(benchmark, &DEV);
    let whole = match (has_test || test.is_some(), &dev) {
        (true, Some(_)) => None,
        _ => find(benchmark, &WHOLE),
    };
    let files = [(test, Some(Split::Test)), (dev, Some(Split::Dev)), (whole, None)];
    files
        .into_iter()
        .filter_map(|(path, of)| path.map(|path| (path, of)))
        .collect()
}

/// The pairs of each split in a file of the benchmark; of no split where it has no such column.
///
/// # Errors
/// As [`scored::read`].
fn read_file(path: &Path, found: &mut Found) -> Result<Vec<(Option<Split>, Vec<Pair>)>> {
    let scored = scored::read(path)?;
    if scored.is_of_one {
        found.notes.push(format!(
            "the scores of {}, from 0 to 1, are multiplied by 5",
            path.display()
        ));
    }
    let splits = match scored.has_splits() {
        true => vec![Some(Split::Test), Some(Split::Dev)],
        false => vec![None],
    };
    let of_split = |split| {
        let pairs = scored.pairs.iter().filter(|pair| pair.split == split);
        (split, pairs.cloned().collect::<Vec<_>>())
    };
    let splits: Vec<_> = splits
        .into_iter()
        .map(of_split)
        .filter(|(_, pairs)| !pairs.is_empty())
        .collect();
    match splits.is_empty() {
        true => Err(Error::data(
            path,
            "has only rows of the split train; the evaluation uses those of dev and test",
        )),
        false => Ok(splits),
    }
}

/// A file's name without what says how it is written.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let name = ENDINGS
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    name.trim_start_matches("sts-").to_string()
}

/// The file of a split in a folder, however it is written.
fn find(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    let written = |name: &&str| ENDINGS.map(|ending| [format!("{name}{ending}"), format!("{name}{ending}.gz")]);
    let files = names.iter().flat_map(written).flatten();
    files.map(|file| folder.join(file)).find(|path| path.is_file())
}
