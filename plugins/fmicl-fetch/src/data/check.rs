//! `fmicl data check`: every sample of every split is read once.

mod found;
mod leaks;
mod list;
mod look;
mod near;
mod picture;
mod report;
mod scan;
mod show;
#[cfg(test)]
mod tests;

use fmicl_core::{Dataset, Error, Modality, Part, Result, Samples, Split, disk};
use fmicl_runner::data::has_labels;
use fmicl_runner::out::require_file_place;
use found::Found;
use report::Report;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Options of the verb.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Bits of 64 in which the perceptual hashes (dHash) of two images that look the same may differ, from 0 to 7
    #[arg(long, value_name = "BITS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=7))]
    near: u32,
    /// Write all that was found to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the samples that should be left out to this file, for the dataset `leave-out`
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
}

/// A split that is open.
struct Open {
    name: &'static str,
    split: Split,
    samples: Box<dyn Samples>,
}

/// A list may have been edited, and a name be mistaken for that of a photo or of the data's own list.
fn require_new_file(path: &Path) -> Result<()> {
    require_file_place(path)?;
    match path.symlink_metadata() {
        Ok(_) => Err(Error::config(format!(
            "{} is there already; name another file, or remove it",
            path.display()
        ))),
        Err(_) => Ok(()),
    }
}

/// Checks a dataset, and prints what was found. Images of so many `channels` are read as they are stored.
///
/// # Errors
/// Samples that cannot be read, labels out of range, or test samples that are training samples, too, once everything is
/// printed and written; a split that does not open, or the disk's.
pub(super) fn check(
    out: &mut impl Write,
    dataset: &Part<dyn Dataset>,
    channels: Option<usize>,
    options: &Options,
) -> anyhow::Result<()> {
    for (option, path) in [("--json", &options.json), ("--list", &options.list)] {
        let place = path.as_ref().map_or(Ok(()), |path| require_new_file(path));
        place.map_err(|error| match error {
            Error::Config { problem, .. } => Error::from(problem).at(option),
            error => error,
        })?;
    }
    if options.json.is_some() && options.json == options.list {
        return Err(Error::config("--json and --list name one file; name two").into());
    }
    let splits = open(&**dataset)?;
    require_few_bits(options.near, dataset.modality(), &splits)?;
    let source = dataset.source();
    let mut found = Vec::new();
    for open in &splits {
        let seen = scan::scan(&*open.samples, dataset.modality(), channels, open.name)?;
        found.push(Found::of(open.name, &*open.samples, seen, &source));
    }
    let report = Report::of(super::info::in_toml(dataset)?, dataset.modality(), found, options.near);
    show::show(out, &report)?;
    if let Some(path) = &options.json {
        let json = serde_json::to_vec_pretty(&report.to_json()).map_err(|error| Error::Run(error.to_string()))?;
        disk::replace(path, &json)?;
        writeln!(out, "all of it is in {}", path.display())?;
    }
    if let Some(path) = &options.list {
        let count = list::write(path, &report)?;
        writeln!(out, "{}", list::told(path, count, dataset)?)?;
    }
    match report.faults() {
        faults if faults.is_empty() => Ok(()),
        faults => Err(Error::Run(faults.join("; ")).into()),
    }
}

/// Checks that comparing the images ends.
fn require_few_bits(bits: u32, modality: Modality, splits: &[Open]) -> Result<()> {
    let samples = splits.iter().map(|open| open.samples.len()).sum();
    let most = near::most(samples);
    if modality == Modality::Texts || bits <= most {
        return Ok(());
    }
    let message = format!(
        "{bits} bits would compare nearly all of {samples} images with each other; at most {most} find theirs within minutes"
    );
    Err(Error::config(message).at("--near"))
}

/// The splits, each once.
fn open(dataset: &dyn Dataset) -> Result<Vec<Open>> {
    let open = |name, split| -> Result<Open> {
        Ok(Open {
            name,
            split,
            samples: dataset.open(split)?,
        })
    };
    if !dataset.is_labelled() {
        return Ok(vec![open("pretrain", Split::Pretrain)?]);
    }
    let mut splits = Vec::new();
    if dataset.has_unlabelled() {
        splits.push(open("pretrain", Split::Pretrain)?);
    }
    let train = open("train", Split::Train)?;
    match has_labels(&*train.samples) {
        true => splits.extend([train, open("test", Split::Test)?]),
        // Nothing is tested on then.
        false if splits.is_empty() => splits.push(Open {
            name: "pretrain",
            ..train
        }),
        false => {}
    }
    debug_assert!(splits.iter().filter(|open| open.split == Split::Test).count() <= 1);
    Ok(splits)
}
