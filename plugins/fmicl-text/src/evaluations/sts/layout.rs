//! What lies where the option `data` points.

use super::pairs::Pairs;
use super::senteval::{self, TASKS};
use crate::datasets::read_stsb;
use crate::pool::Distinct;
use fmicl_core::{Error, Result};
use std::path::Path;

pub(super) const WHAT: &str = "SentEval's data (downstream/STS/STS12-en-test, ...), a folder with dev.csv or test.csv of the STS benchmark, or such a file";

/// The benchmark's files: as its authors publish them, and as CSV.
const DEV: [&str; 2] = ["sts-dev.csv", "dev.csv"];
const TEST: [&str; 2] = ["sts-test.csv", "test.csv"];

/// The pairs that were found.
#[derive(Default)]
pub(super) struct Found {
    /// The tasks by name, in the order of SimCSE's tables.
    pub tasks: Vec<(String, Pairs)>,
    /// What alignment and uniformity are of: the benchmark's development split, or the file that was named.
    pub geometry: Option<(String, Pairs)>,
    /// The tasks that are not there, if any is.
    pub missing: Vec<&'static str>,
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
    } else if data.is_dir() {
        if let Some(path) = TEST.map(|name| data.join(name)).into_iter().find(|path| path.is_file()) {
            found.tasks.push(("STS-B".into(), read_benchmark(&path, sentences)?));
        }
    } else if !data.is_file() {
        let what = if data.exists() {
            "is no file or folder"
        } else {
            "there is no such file or folder"
        };
        return Err(Error::data(data, format!("{what}; `data` should name {WHAT}")));
    }
    if let Some(name) = wanted
        .iter()
        .find(|name| found.tasks.iter().all(|(task, _)| task != *name))
    {
        return Err(Error::data(data, format!("does not hold {name}, which `tasks` names")));
    }
    found.geometry = if is_wanted("STS-B") {
        read_geometry(&benchmark, sentences)?
    } else {
        None
    };
    if found.tasks.is_empty() && found.geometry.is_none() {
        return Err(Error::data(
            data,
            format!("holds no STS task; `data` should name {WHAT}"),
        ));
    }
    Ok(found)
}

/// A file by itself, or the benchmark's development split in a folder, if it is there.
fn read_geometry(benchmark: &Path, sentences: &mut Distinct) -> Result<Option<(String, Pairs)>> {
    let dev = DEV
        .map(|name| benchmark.join(name))
        .into_iter()
        .find(|path| path.is_file());
    let path = if benchmark.is_file() {
        Some(benchmark.to_path_buf())
    } else {
        dev
    };
    let Some(path) = path else { return Ok(None) };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("STS-B {}", stem.trim_start_matches("sts-"));
    Ok(Some((name, read_benchmark(&path, sentences)?)))
}

/// A file of the benchmark: with tabs under the name that its authors gave it, as CSV under any other.
fn read_benchmark(path: &Path, sentences: &mut Distinct) -> Result<Pairs> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match name.starts_with("sts-") {
        true => senteval::read_benchmark(path, sentences),
        false => read_stsb(path, sentences),
    }
}
