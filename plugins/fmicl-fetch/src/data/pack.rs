//! `fmicl data pack`: a dataset of images in shards, as WebDataset makes them.

mod content;
mod shards;

use crate::Bytes;
use clap::{Args, ValueEnum};
use content::Encode;
use fmicl_core::{Dataset, Error, Modality, Part, Result, Samples, Split, disk};
use fmicl_runner::data::has_labels;
use indicatif::ProgressBar;
use rayon::prelude::*;
use shards::{Shards, Written};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Pack {
    /// The format of the shards
    #[arg(long, value_enum, default_value_t = Format::Tar)]
    format: Format,
    /// Resize images so that the shorter side has so many pixels, as views do it, and save them anew; those that are no
    /// larger stay as they are. Without it, images that are files are packed byte by byte, also those that cannot be read, which
    /// are named
    #[arg(long, value_name = "PIXELS")]
    size: Option<usize>,
    /// How images are saved that are resized, or are no files: as JPEG of quality 95, or as PNG, which keeps every pixel
    /// [default: jpeg with --size, png without]
    #[arg(long, value_enum, value_name = "FORMAT")]
    encode: Option<Encode>,
    /// The folder to make [default: NAME-shards]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The size at which a shard ends and the next one begins
    #[arg(long, value_name = "MB", default_value_t = 500, value_parser = megabytes)]
    shard_size: u64,
}

fn megabytes(text: &str) -> Result<u64, String> {
    let number = text.parse();
    number.map_err(|_| "a whole number of megabytes is expected, such as 500".to_string())
}

/// The formats of shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tar files of WebDataset
    Tar,
}

/// Samples that are made ready at a time, on all cores.
const TOGETHER: usize = 64;
/// The file that names the classes.
const NAMES: &str = "classes.txt";

impl Pack {
    /// Packs every split of a dataset. Images of so many `channels` are packed as they are, or not at all.
    ///
    /// # Errors
    /// In one line: samples that are no images or cannot be read, a folder that is there already, or the disk.
    pub fn run(
        &self,
        out: &mut impl Write,
        dataset: &Part<dyn Dataset>,
        channels: Option<usize>,
    ) -> anyhow::Result<()> {
        let Format::Tar = self.format;
        if dataset.modality() != Modality::Images {
            let message = format!("{} has {}; images are packed", dataset.name(), dataset.modality());
            return Err(Error::config(message).into());
        }
        if self.size == Some(0) || self.shard_size == 0 {
            return Err(Error::config("--size and --shard-size are at least 1").into());
        }
        if let (Some(channels), true) = (channels, self.size.is_some() || self.encode.is_some()) {
            let message =
                format!("--size and --encode make RGB images, and views have {channels} channels; leave them out");
            return Err(Error::config(message).into());
        }
        let name = || PathBuf::from(format!("{}-shards", dataset.name()));
        let folder = self.out.clone().unwrap_or_else(name);
        require_new(&folder)?;
        let train = dataset.open(Split::Train)?;
        let mut splits = Vec::new();
        if dataset.has_unlabelled() {
            splits.push(("pretrain", dataset.open(Split::Pretrain)?));
        }
        if has_labels(&*train) {
            splits.push(("test", dataset.open(Split::Test)?));
        }
        let names = train.class_names();
        splits.push(("train", train));

        let staging = disk::partial(&folder);
        remake(&staging)?;
        let packed = self.pack(&staging, &splits, &names, channels).and_then(|packed| {
            // An empty folder may be in its place.
            fs::rename(&staging, &folder).map_err(|error| Error::io(&folder, error))?;
            Ok(packed)
        });
        // What an interrupt leaves is removed the next time.
        let _ = fs::remove_dir_all(&staging);
        let (Written { samples, shards, bytes }, faults) = packed?;
        for note in super::notes(splits.iter().map(|(_, samples)| &**samples)) {
            writeln!(out, "note: {note}")?;
        }
        let is_weighted = |samples: &dyn Samples| {
            let first = samples.weight(0);
            (1..samples.len()).any(|index| samples.weight(index) != first)
        };
        if splits.iter().any(|(_, samples)| is_weighted(&**samples)) {
            writeln!(
                out,
                "note: shards have no weights: training on them draws all samples alike"
            )?;
        }
        told(out, &faults)?;
        let options = toml::Table::from_iter(
            [("name", "webdataset"), ("root", &*folder.to_string_lossy())]
                .map(|(key, value)| (key.to_string(), toml::Value::from(value))),
        );
        let pretrain = dataset
            .has_unlabelled()
            .then(|| ("pretrain".to_string(), "pretrain-*.tar".into()));
        let options: toml::Table = options.into_iter().chain(pretrain).collect();
        Ok(writeln!(
            out,
            "packed {samples} images into {shards} shards of {} in all; in an experiment: dataset = {}",
            Bytes(bytes),
            toml::Value::Table(options)
        )?)
    }

    fn pack(
        &self,
        folder: &Path,
        splits: &[(&str, Box<dyn Samples>)],
        names: &[String],
        channels: Option<usize>,
    ) -> Result<(Written, Vec<String>)> {
        let (mut all, mut faults) = (Written::default(), Vec::new());
        let total: usize = splits.iter().map(|(_, samples)| samples.len()).sum();
        // It is shown on a terminal alone.
        let bar = ProgressBar::new(total as u64);
        for (split, samples) in splits {
            let mut shards = Shards::new(folder, split, self.shard_size.saturating_mul(1_000_000));
            for first in (0..samples.len()).step_by(TOGETHER) {
                let numbers: Vec<usize> = (first..samples.len().min(first + TOGETHER)).collect();
                let contents = numbers
                    .par_iter()
                    .map(|&index| content::of(&**samples, index, channels, (self.size, self.encode)));
                let contents = contents.collect::<Vec<_>>();
                for (index, content) in numbers.into_iter().zip(contents) {
                    let label = (samples.classes() > 0).then(|| samples.label(index));
                    let content = content?;
                    shards.add(index, label, &content)?;
                    faults.extend(content.fault);
                    bar.inc(1);
                }
            }
            all = all + shards.finish()?;
        }
        bar.finish_and_clear();
        if !names.is_empty() {
            let lines: String = names
                .iter()
                .map(|name| format!("{}\n", name.replace(char::is_control, " ")))
                .collect();
            disk::replace(&folder.join(NAMES), lines.as_bytes())?;
        }
        Ok((all, faults))
    }
}

/// Files that cannot be read of which each is named.
const NAMED: usize = 10;

/// Says which files were packed and cannot be read.
fn told(out: &mut impl Write, faults: &[String]) -> std::io::Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "{} files cannot be read, and are packed as they are; `fmicl data check --list` writes a list with which the dataset \
         `leave-out` leaves them out:",
        faults.len()
    )?;
    faults
        .iter()
        .take(NAMED)
        .try_for_each(|fault| writeln!(out, "  {fault}"))?;
    match faults.len().saturating_sub(NAMED) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

/// Refuses a folder that holds anything.
fn require_new(folder: &Path) -> Result<()> {
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() != ErrorKind::NotADirectory => Err(Error::io(folder, error)),
        _ => Err(Error::data(
            folder,
            "is there already; `--out DIR` names another folder",
        )),
    }
}

/// An empty folder, whatever an earlier run left there.
fn remake(folder: &Path) -> Result<()> {
    let removed = match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    let made = removed.and_then(|()| fs::create_dir_all(folder));
    made.map_err(|error| Error::io(folder, error))
}

#[cfg(test)]
mod tests;
