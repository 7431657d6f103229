//! A run's directory: `config.toml`, `dataset.json`, `provenance.json`, `metrics.jsonl`, `steps.jsonl`, `checkpoints/`, `result.json`, `log.txt`,
//! `init.safetensors` where the backbone started with a file of weights, and `files/` where parts read files.

mod dataset;
mod place;
#[cfg(test)]
mod tests;
mod used;

use super::checkpoint::{Checkpoint, Snapshot, Wanted};
use super::checkpoints::{Checkpoints, weights_of};
use super::{Model, kept};
use crate::config::{self, Experiment};
use crate::{out, weights};
use fmicl_core::{Error, Result, disk, read_file};
pub(super) use place::{CHECKPOINTS, CONFIG, LOCK};
use place::{INIT, is_run_at, no_run_at, require_room, require_unused};
use serde::Serialize;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
pub use used::Restored;
pub(crate) use used::is_listed;

/// Room for everything but checkpoints.
const SMALL_FILES: u64 = 8 << 20;

/// The most bytes of a result or a config.
const MOST: u64 = 1 << 26;

/// What a run gave.
pub(super) const RESULT: &str = "result.json";

/// A run's directory.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    /// Held by a process that trains here.
    _lock: Option<File>,
}

impl RunDir {
    /// Returns the text of `config.toml` for a run of the experiment: its whole config, with `init` set to the run's copy of
    /// the file, so that the directory can be moved. Comments before it say what was chosen for the architecture, and why.
    ///
    /// # Errors
    /// A value that has no form in TOML.
    pub fn config_of(experiment: &Experiment) -> Result<String> {
        let why = experiment.why().map(|why| format!("# {why}.\n"));
        let config = why.collect::<String>() + &config::write(&RunDir::table_of(experiment)?)?;
        let Some(init) = &experiment.init else {
            return Ok(config);
        };
        let origin = std::path::absolute(init).unwrap_or_else(|_| init.clone());
        Ok(format!("# init: the backbone of {origin:?}\n{config}"))
    }

    /// Returns the table that [`config_of`](RunDir::config_of) writes.
    ///
    /// # Errors
    /// A value that has no form in TOML.
    pub fn table_of(experiment: &Experiment) -> Result<toml::Table> {
        let mut table = experiment.to_table()?;
        if experiment.init.is_some() {
            table.insert("init".into(), INIT.into());
        }
        Ok(table)
    }

    /// A name that is free: `runs/NAME-1`, or the first number that is.
    pub fn unused(name: &str) -> PathBuf {
        place::unused(name)
    }

    /// Makes the directory, locks it and writes down what is run: the complete config, the files that
    /// the parts read, and the backbone of `started`, a model that started with a file of weights, so that it can be
    /// evaluated when that is gone.
    ///
    /// # Errors
    /// A directory that is in use or cannot be written, or a disk without room for the files and the checkpoints.
    pub fn create(
        path: PathBuf,
        experiment: &Experiment,
        checkpoint_bytes: u64,
        started: Option<&Model>,
    ) -> Result<Self> {
        require_unused(&path)?;
        // Nothing is made before what can be known to fail has been tried, so that the same command can be tried again.
        let config = RunDir::config_of(experiment)?;
        // Beside the last checkpoints: the best, and another while it is written.
        let checkpoints = checkpoint_bytes.saturating_mul(experiment.train.keep as u64 + 2);
        let backbone = started.map_or(0, Model::bytes);
        let files = SMALL_FILES + kept::bytes(experiment)?;
        require_room(
            &path,
            [checkpoints, backbone, files].into_iter().fold(0, u64::saturating_add),
        )?;
        let checkpoints = path.join(CHECKPOINTS);
        out::make_folder(&checkpoints)?;
        let run = RunDir { path, _lock: None }.locked()?;
        // Another process may have come first.
        require_unused(&run.path)?;
        // Before the config, which makes the directory a run's.
        kept::keep(experiment, &run.path)?;
        if let Some(model) = started {
            weights::write_about(model.backbone(), &model.about, &run.path.join(INIT))?;
        }
        run.write(CONFIG, config.as_bytes())?;
        Ok(run)
    }

    /// A directory that [`RunDir::create`] made.
    ///
    /// # Errors
    /// A path that is no such directory.
    pub fn open(path: &Path) -> Result<Self> {
        if is_run_at(path) {
            let path = path.to_path_buf();
            Ok(RunDir { path, _lock: None })
        } else {
            Err(no_run_at(path))
        }
    }

    /// Returns true if there is a run in a directory.
    pub fn is_at(path: &Path) -> bool {
        is_run_at(path)
    }

    /// Locks the directory, so that this process alone trains in it.
    ///
    /// # Errors
    /// One that another process trains in, or that cannot be written.
    pub fn locked(self) -> Result<Self> {
        let Some(lock) = disk::lock(&self.path.join(LOCK))? else {
            return Err(Error::Run(format!(
                "{}: another process is training here; wait for it, or name another directory with --out",
                self.path.display()
            )));
        };
        Ok(RunDir {
            _lock: Some(lock),
            ..self
        })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The complete config of the run.
    pub fn config_path(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// Replaces `config.toml`: the run goes on under another config, of [`config_of`](RunDir::config_of).
    ///
    /// # Errors
    /// The disk's.
    pub fn write_config(&self, config: &str) -> Result<()> {
        // What was chosen when the run began is given now.
        let before = std::fs::read_to_string(self.config_path()).unwrap_or_default();
        let why = before.lines().take_while(|line| line.starts_with("# objective."));
        let why: String = why.map(|line| format!("{line}\n")).collect();
        self.write(CONFIG, (why + config).as_bytes())
    }

    /// The log.
    pub fn log_path(&self) -> PathBuf {
        self.path.join("log.txt")
    }

    /// Writes a file of the run as JSON.
    ///
    /// # Errors
    /// The disk's.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let json = serde_json::to_string_pretty(value).map_err(|error| Error::Run(format!("{name}: {error}")))?;
        self.write(name, format!("{json}\n").as_bytes())
    }

    /// Writes what the run gave: it stands for a finished run.
    ///
    /// # Errors
    /// The disk's.
    pub fn write_result(&self, value: &impl Serialize) -> Result<()> {
        self.write_json(RESULT, value)
    }

    /// Result of the run if it has finished. While it trains for more epochs, the file of the earlier result stays,
    /// but is not returned.
    ///
    /// # Errors
    /// A result or a config that is not what the run wrote.
    pub fn result(&self) -> Result<Option<Value>> {
        let path = self.path.join(RESULT);
        if !path.is_file() {
            return Ok(None);
        }
        let bytes = |path: &Path| read_file(path, MOST, "it is a run's");
        let not_ours = |path: &Path, error: String| Error::data(path, format!("is not a run's: {error}"));
        let result: Value =
            serde_json::from_slice(&bytes(&path)?).map_err(|error| not_ours(&path, error.to_string()))?;
        let path = self.config_path();
        let config: toml::Table =
            toml::from_slice(&bytes(&path)?).map_err(|error| not_ours(&path, error.to_string()))?;
        let epochs = config.get("train").and_then(|train| train.get("epochs")?.as_integer());
        Ok((epochs.is_some() && result["epochs"].as_i64() == epochs).then_some(result))
    }

    /// Returns true if the run has its result.
    pub fn is_finished(&self) -> bool {
        self.result().is_ok_and(|result| result.is_some())
    }

    /// The run's checkpoints.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.path.join(CHECKPOINTS))
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// The disk's.
    pub fn save(&self, snapshot: Snapshot) -> Result<()> {
        self.checkpoints().write(snapshot)
    }

    /// The newest checkpoint's weights, damaged or not.
    ///
    /// # Errors
    /// A run that has none.
    pub fn last_checkpoint(&self) -> Result<PathBuf> {
        let last = self.checkpoints().list()?.pop();
        last.map(|(_, path)| weights_of(&path))
            .ok_or_else(|| self.no_checkpoint())
    }

    /// The newest checkpoint up to step `last` that is whole, where there is any.
    ///
    /// # Errors
    /// The newest one's, where all are damaged.
    pub fn newest_checkpoint(&self, last: u64) -> Result<Option<Checkpoint>> {
        self.checkpoints()
            .newest(last, Wanted::Everything, |report| tracing::warn!("{report}"))
    }

    fn no_checkpoint(&self) -> Error {
        Error::data(&self.path, "has no checkpoint yet")
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        disk::replace(&self.path.join(name), bytes)
    }
}
