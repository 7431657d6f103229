//! One run of a sweep and its directory.

use super::outcome::{FAILED, Outcome};
use crate::config::Experiment;
use crate::train::RunDir;
use fmicl_core::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// One run of a sweep.
#[derive(Debug)]
pub struct Cell {
    /// Its value on each axis.
    pub labels: Vec<String>,
    /// Its seed.
    pub seed: u64,
    /// The experiment file that it begins with.
    pub experiment: PathBuf,
    /// The changes to it, as `--set` takes them.
    pub sets: Vec<String>,
    /// The run's directory.
    pub dir: PathBuf,
    /// What is run.
    pub resolved: Experiment,
    /// The same as text: what the directory's `config.toml` says if the run is this one.
    pub config: String,
}

impl Cell {
    /// A run below the sweep's directory, named after its values.
    ///
    /// # Errors
    /// A config that has no form in TOML.
    pub fn new(
        labels: Vec<String>,
        seed: u64,
        file: &Path,
        mut sets: Vec<String>,
        resolved: Experiment,
        out: &Path,
    ) -> Result<Self> {
        // In a file it is relative to that, among the sets to the working directory.
        sets.extend(resolved.init.iter().map(|init| format!("init={}", init.display())));
        let name = labels
            .iter()
            .map(|label| format!("{}_", slug(label)))
            .collect::<String>();
        Ok(Cell {
            labels,
            seed,
            experiment: file.to_path_buf(),
            sets,
            dir: out.join("runs").join(format!("{name}seed-{seed}")),
            config: RunDir::config_of(&resolved)?,
            resolved,
        })
    }

    /// Its values and seed, for people.
    pub fn title(&self) -> String {
        let seed = format!("seed {}", self.seed);
        self.labels.iter().cloned().chain([seed]).collect::<Vec<_>>().join(", ")
    }

    /// Whether the directory holds this run, finished.
    ///
    /// # Errors
    /// A run under the same name whose config is another.
    pub fn is_done(&self) -> Result<bool> {
        let path = self.dir.join("config.toml");
        let Ok(there) = fs::read_to_string(&path) else {
            return Ok(false);
        };
        let differs = there
            .lines()
            .zip(self.config.lines())
            .find(|(there, here)| there != here);
        if there == self.config {
            return Ok(self.dir.join("result.json").is_file() && !self.dir.join(FAILED).exists());
        }
        let (was, is) = differs.unwrap_or(("shorter", "longer"));
        Err(Error::Run(format!(
            "{}: holds a run of another config (`{was}`, now `{is}`); choose another --out or remove it",
            self.dir.display()
        )))
    }

    /// Makes the directory ready for the run to begin, or to go on from its last checkpoint where it was broken off; it is
    /// not done.
    ///
    /// # Errors
    /// The disk's.
    pub fn prepare(&self) -> Result<()> {
        let (path, removed) = match RunDir::is_at(&self.dir) {
            true => (self.dir.join(FAILED), fs::remove_file(self.dir.join(FAILED))),
            // What is there is no run yet.
            false => (self.dir.clone(), fs::remove_dir_all(&self.dir)),
        };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, error)),
            _ => Ok(()),
        }
    }

    /// What the run gave, if it has finished or failed.
    ///
    /// # Errors
    /// A result that cannot be read.
    pub fn outcome(&self) -> Result<Outcome> {
        Outcome::read(&self.dir)
    }
}

/// The letters, digits and points of a label.
fn slug(label: &str) -> String {
    let kept = label
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' });
    kept.collect::<String>()
}
