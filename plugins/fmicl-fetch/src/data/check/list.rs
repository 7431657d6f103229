//! The list of samples that should be left out, as the dataset `leave-out` reads it.

use super::found::Found;
use super::leaks::{Leak, TEST};
use super::report::Report;
use csv::WriterBuilder;
use fmicl_core::{Dataset, Error, Modality, Part, Result, disk, toml};
use fmicl_data::datasets::{LEAVE_OUT_COLUMNS, LeaveOut};
use std::collections::BTreeMap;
use std::path::Path;

/// Writes the list: samples that cannot be read, training samples that are or look like test samples, and of training samples that
/// are the same all but the first, or all where they are of different classes. A test split keeps its duplicates: numbers on it
/// would not compare with others'. Returns how many there are.
///
/// # Errors
/// The disk's.
pub fn write(path: &Path, report: &Report) -> Result<usize> {
    let rows: Vec<_> = (0..report.splits.len())
        .flat_map(|split| of_split(report, split))
        .collect();
    let wrong = |error: csv::Error| Error::data(path, error.to_string());
    let mut table = WriterBuilder::new().flexible(true).from_writer(Vec::new());
    table.write_record(LEAVE_OUT_COLUMNS).map_err(wrong)?;
    // Without files, indices mean the samples of this dataset alone.
    for found in &report.splits {
        let is_here = |row: &[String; 4]| row[0] == found.name && row[2].is_empty();
        if rows.iter().any(is_here) {
            table
                .write_record([LeaveOut::made_of(found.name, found.samples)])
                .map_err(wrong)?;
        }
    }
    for row in &rows {
        table.write_record(row).map_err(wrong)?;
    }
    let bytes = table
        .into_inner()
        .map_err(|error| Error::data(path, error.to_string()))?;
    disk::replace(path, &bytes)?;
    Ok(rows.len())
}

/// What is said of a list that was written.
///
/// # Errors
/// None that a dataset of a config has.
pub fn told(path: &Path, count: usize, dataset: &Part<dyn Dataset>) -> Result<String> {
    let path = path.display();
    let of = crate::data::info::in_toml(dataset)?;
    Ok(match count {
        0 => format!("there is nothing to leave out; {path} is empty"),
        _ => format!(
            "{count} samples to leave out are in {path}; in an experiment: dataset = {{ name = \"leave-out\", list = {}, of = {of} }}",
            toml::Value::from(path.to_string())
        ),
    })
}

/// The rows of a split, in the order of its samples, each once: the first reason counts.
fn of_split(report: &Report, split: usize) -> Vec<[String; 4]> {
    let found = &report.splits[split];
    let mut why: BTreeMap<usize, String> = BTreeMap::new();
    for &index in &found.unreadable {
        let error = found.seen[index].as_ref().err().cloned().unwrap_or_default();
        why.insert(index, format!("cannot be read: {error}"));
    }
    for &index in &found.out_of_range {
        why.entry(index).or_insert("its label is no class".into());
    }
    if report.modality == Modality::Texts {
        let empty = found.readable().filter(|(_, picture)| picture.is_plain);
        for (index, _) in empty {
            why.entry(index).or_insert("has an empty text".into());
        }
    }
    for leak in report.leaks.all.iter().filter(|leak| leak.split == split) {
        let Leak { sample, test, bits, .. } = leak;
        let test = report.splits[test.0].shown(test.1);
        let reason = match bits {
            None => format!("is the test sample {test}"),
            Some(bits) => format!("looks like the test sample {test} ({bits} of 64 bits differ)"),
        };
        why.entry(*sample).or_insert(reason);
    }
    for group in found.same.iter().filter(|_| found.name != TEST) {
        let first = found.shown(group[0]);
        if found.is_contradicting(group) {
            // Nobody knows which of the labels is right.
            for &index in group {
                let other = group
                    .iter()
                    .find(|&&other| found.samples.label(other) != found.samples.label(index));
                let other = other.map_or(String::new(), |&other| found.shown(other));
                why.entry(index)
                    .or_insert(format!("is the same as {other}, which is of another class"));
            }
            continue;
        }
        for &index in &group[1..] {
            why.entry(index).or_insert(format!("is the same as {first}"));
        }
    }
    why.into_iter().map(|(index, why)| row(found, index, why)).collect()
}

fn row(found: &Found, index: usize, why: String) -> [String; 4] {
    [found.name.into(), index.to_string(), found.path(index), why]
}
