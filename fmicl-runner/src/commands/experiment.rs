//! An experiment on the command line.

use crate::DeviceChoice;
use crate::command;
use crate::config::{self, Experiment};
use clap::Args;
use fmicl_core::Error;
use std::path::{Path, PathBuf};

/// An experiment and what the command line changes about it.
#[derive(Debug, Args)]
pub(super) struct ExperimentArgs {
    /// The experiment file
    #[arg(value_name = "EXPERIMENT.toml")]
    pub path: PathBuf,
    #[command(flatten)]
    changes: ChangeArgs,
}

/// Changes of an experiment by the command line.
#[derive(Debug, Args)]
pub(super) struct ChangeArgs {
    /// Change a value, such as train.lr=0.1 or objective.divergence=js; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// auto, cpu or cuda:N; short for --set device=...
    #[arg(long)]
    device: Option<DeviceChoice>,
    /// Short for --set seed=...
    // A minus is no option, so that its error is about the number.
    #[arg(long, allow_negative_numbers = true, value_parser = seed)]
    seed: Option<u64>,
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

impl ExperimentArgs {
    /// The experiment, or everything that is wrong with it.
    pub fn load(&self) -> Result<Experiment, Vec<Error>> {
        self.changes.load(&self.path)
    }
}

impl ChangeArgs {
    /// The experiment of a file with these changes, or everything that is wrong with it.
    pub fn load(&self, path: &Path) -> Result<Experiment, Vec<Error>> {
        let (device, seed) = (
            self.device.map(|device| device.to_string()),
            self.seed.map(|seed| seed.to_string()),
        );
        let mut sets = self.sets.clone();
        for (key, value) in [("device", device), ("seed", seed)] {
            command::refuse_both(&self.sets, key, value.clone()).map_err(|error| vec![error])?;
            sets.extend(value.map(|value| format!("{key}={value}")));
        }
        config::load_all(path, &sets).map_err(|errors| {
            let entries = command::entries().unwrap_or_default();
            match entries.iter().find(|entry| (entry.takes)(path)) {
                Some(entry) => vec![Error::config(format!(
                    "{}: is a {name}, not an experiment; run it with `fmicl {name}`",
                    path.display(),
                    name = entry.name
                ))],
                None => errors,
            }
        })
    }
}
