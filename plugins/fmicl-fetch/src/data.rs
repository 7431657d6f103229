//! `fmicl data`: where a dataset is looked for and how to get it, as the dataset itself declares it, and what is wrong with it.

mod check;
mod fetch;
mod info;
mod pack;
#[cfg(test)]
mod tests;

use clap::{Args, Subcommand};
use fmicl_core::{Dataset, Error, Modality, Part, Result, Samples, Split};
use fmicl_runner::command::{Command, Group, Outcome};
use fmicl_runner::config;
use fmicl_runner::data::has_labels;
use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
struct Data {
    #[command(subcommand)]
    verb: Verb,
}

fmicl_runner::command!(
    "data",
    Data,
    Group::Inspect,
    "Where the datasets are looked for, how to get them, and whether they are sound"
);

impl Command for Data {
    fn run(self) -> Outcome {
        self.verb.run()
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say where a dataset is looked for, what was found and how to get it; without a name, list all datasets
    Info {
        /// A dataset by its name, or an experiment (a path that ends in .toml), whose dataset is meant
        #[arg(value_name = "DATASET")]
        dataset: Option<String>,
        #[command(flatten)]
        options: Sets,
    },
    /// Download a dataset, check it and unpack it to where it is looked for
    Fetch {
        /// A dataset by its name, or an experiment (a path that ends in .toml), whose dataset is meant
        #[arg(value_name = "DATASET")]
        dataset: String,
        #[command(flatten)]
        options: Sets,
        /// The folder to put it in; short for --set root=DIR
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
        /// A mirror instead of the official address, or files that were downloaded in another way: the address or path of
        /// the file, or of the folder that holds it
        #[arg(long, value_name = "URL|PATH")]
        from: Option<String>,
    },
    /// Read every sample of every split: files that cannot be read, duplicates, test samples that are trained on, sizes, classes
    Check {
        /// A dataset by its name, or an experiment (a path that ends in .toml), whose dataset is meant
        #[arg(value_name = "DATASET")]
        dataset: String,
        #[command(flatten)]
        options: Sets,
        #[command(flatten)]
        check: check::Options,
    },
    /// Write the images of a dataset into a few large files, shards, that the dataset `webdataset` reads
    Pack {
        /// A dataset by its name, or an experiment (a path that ends in .toml), whose dataset is meant
        #[arg(value_name = "DATASET")]
        dataset: String,
        #[command(flatten)]
        options: Sets,
        #[command(flatten)]
        pack: pack::Pack,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Sets {
    /// Set an option of the dataset, such as root=/data (in an experiment: dataset.root=/data); may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

impl Verb {
    fn run(self) -> Outcome {
        let out = &mut std::io::stdout().lock();
        match self {
            Verb::Info { dataset: None, options } => {
                if let [set, ..] = &options.sets[..] {
                    return Err(Error::config(format!("--set {set}: the name of its dataset is missing")).into());
                }
                Ok(info::all(out)?)
            }
            Verb::Info {
                dataset: Some(dataset),
                options,
            } => {
                let dataset = load(&dataset, &options.sets)?;
                Ok(info::one(out, &dataset)?)
            }
            Verb::Fetch {
                dataset,
                options,
                to,
                from,
            } => {
                let sets = match to {
                    Some(to) => with_root(&dataset, options.sets, &to)?,
                    None => options.sets,
                };
                let dataset = load(&dataset, &sets)?;
                Ok(fetch::fetch(out, &dataset, from)?)
            }
            Verb::Check {
                dataset,
                options,
                check,
            } => {
                let (dataset, channels) = load_with_channels(&dataset, &options.sets)?;
                Ok(check::check(out, &dataset, channels, &check)?)
            }
            Verb::Pack { dataset, options, pack } => {
                let (dataset, channels) = load_with_channels(&dataset, &options.sets)?;
                Ok(pack.run(out, &dataset, channels)?)
            }
        }
    }
}

fn is_experiment(dataset: &str) -> bool {
    Path::new(dataset)
        .extension()
        .is_some_and(|extension| extension == "toml")
}

/// What was read, or everything that is wrong with it.
type Loaded<T> = Result<T, Vec<Error>>;

/// The dataset of an experiment, or the one that is registered by this name.
fn load(dataset: &str, sets: &[String]) -> Loaded<Part<dyn Dataset>> {
    if is_experiment(dataset) {
        config::load_all(Path::new(dataset), sets).map(|experiment| experiment.dataset)
    } else {
        config::load_part(dataset, sets).map_err(|error| vec![error])
    }
}

/// The dataset, and the channels of an experiment's views where its images are read as they are stored.
fn load_with_channels(dataset: &str, sets: &[String]) -> Loaded<(Part<dyn Dataset>, Option<usize>)> {
    if !is_experiment(dataset) {
        return load(dataset, sets).map(|dataset| (dataset, None));
    }
    let experiment = config::load_all(Path::new(dataset), sets)?;
    let channels = experiment.views.bands();
    Ok((experiment.dataset, channels))
}

fn with_root(dataset: &str, mut sets: Vec<String>, to: &Path) -> Result<Vec<String>> {
    if is_experiment(dataset) {
        let message =
            "goes with a dataset's name; an experiment says itself where its data lie (--set dataset.root=DIR)";
        return Err(Error::config(format!("--to {}: {message}", to.display())));
    }
    sets.push(format!("root={}", toml::Value::from(&*to.to_string_lossy())));
    Ok(sets)
}

/// What opening splits said of them, each line once: two splits may be of the same files.
fn notes<'a>(splits: impl Iterator<Item = &'a dyn Samples>) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for note in splits.flat_map(|samples| samples.notes()) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// What a dataset holds where every split of it opens.
struct Found {
    modality: Modality,
    pretrain: usize,
    labelled: Option<Labelled>,
}

struct Labelled {
    train: usize,
    test: usize,
    classes: usize,
}

impl Found {
    fn open(dataset: &dyn Dataset) -> Result<Self> {
        let modality = dataset.modality();
        if !dataset.is_labelled() {
            return Ok(Found {
                modality,
                pretrain: dataset.open(Split::Pretrain)?.len(),
                labelled: None,
            });
        }
        let train = dataset.open(Split::Train)?;
        let pretrain = match dataset.has_unlabelled() {
            true => dataset.open(Split::Pretrain)?.len(),
            false => train.len(),
        };
        let labelled = match has_labels(&*train) {
            true => Some(Labelled {
                train: train.len(),
                test: dataset.open(Split::Test)?.len(),
                classes: train.classes(),
            }),
            false => None,
        };
        Ok(Found {
            modality,
            pretrain,
            labelled,
        })
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} to pre-train on", self.pretrain, self.modality)?;
        match &self.labelled {
            Some(Labelled { train, test, classes }) => {
                write!(f, ", {train} and {test} with labels of {classes} classes")
            }
            None => Ok(()),
        }
    }
}
