//! A run's directory: `config.toml`, `crates.json`, `metrics.jsonl`, `checkpoints/`, `result.json`, `log.txt`,
//! `init.safetensors` where the backbone started with a file of weights, and `files/` where parts read files.

use super::checkpoint::{Checkpoint, Snapshot, Wanted};
use super::checkpoints::{Checkpoints, weights_of};
use super::{Model, TrainOptions, kept};
use crate::config::{self, Experiment};
use crate::{DeviceChoice, disk, weights};
use fmicl_core::registry;
use fmicl_core::tch::Device;
use fmicl_core::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Room for everything but checkpoints.
const SMALL_FILES: u64 = 8 << 20;

/// The backbone before training, where it started with a file of weights.
const INIT: &str = "init.safetensors";
const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.jsonl";
const RESULT: &str = "result.json";
const CHECKPOINTS: &str = "checkpoints";
/// Locked by the process that trains; the system unlocks it when that ends, however it does.
const LOCK: &str = ".lock";

/// A run's directory.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    /// Where this process trains here.
    _lock: Option<File>,
}

/// A run as it was left.
#[derive(Debug)]
pub struct Restored {
    /// What was run.
    pub experiment: Experiment,
    /// Where the model is.
    pub device: Device,
    /// The file that the weights come from.
    pub checkpoint: PathBuf,
    /// The model with those weights.
    pub model: Model,
}

impl RunDir {
    /// What `config.toml` says of a run of the experiment: all of its config, with `init` as the run's own copy of
    /// the file, so that the directory can be moved.
    ///
    /// # Errors
    /// A value that has no form in TOML.
    pub fn config_of(experiment: &Experiment) -> Result<String> {
        let config = config::write(&RunDir::table_of(experiment)?)?;
        let Some(init) = &experiment.init else {
            return Ok(config);
        };
        let origin = std::path::absolute(init).unwrap_or_else(|_| init.clone());
        Ok(format!("# init: the backbone of {origin:?}\n{config}"))
    }

    /// As [`config_of`](RunDir::config_of), before it is text.
    ///
    /// # Errors
    /// As there.
    pub fn table_of(experiment: &Experiment) -> Result<toml::Table> {
        let mut table = experiment.to_table()?;
        if experiment.init.is_some() {
            table.insert("init".into(), INIT.into());
        }
        Ok(table)
    }

    /// Makes the directory, locks it and writes down what is run: the complete config and the linked crates.
    ///
    /// # Errors
    /// A directory that is in use or cannot be written, or a disk without room for the checkpoints.
    pub fn create(options: &TrainOptions, experiment: &Experiment, checkpoint_bytes: u64) -> Result<Self> {
        let path = match &options.out {
            Some(path) => path.clone(),
            None => unused(&options.name),
        };
        require_unused(&path)?;
        // Nothing is made before what can be known to fail has been tried, so that the same command can be tried again.
        let config = RunDir::config_of(experiment)?;
        require_room(&path, checkpoint_bytes, experiment.train.keep)?;
        let checkpoints = path.join(CHECKPOINTS);
        fs::create_dir_all(&checkpoints).map_err(|error| Error::io(&path, error))?;
        let run = RunDir { path, _lock: None }.locked()?;
        // Another process may have come first.
        require_unused(&run.path)?;
        // Before the config, which makes the directory a run's.
        kept::keep(experiment, &run.path)?;
        run.write(CONFIG, config.as_bytes())?;
        run.write_json("crates.json", &linked_crates())?;
        Ok(run)
    }

    /// A directory that [`RunDir::create`] made.
    ///
    /// # Errors
    /// A path that is no such directory.
    pub fn open(path: &Path) -> Result<Self> {
        if RunDir::is_at(path) {
            let path = path.to_path_buf();
            Ok(RunDir { path, _lock: None })
        } else {
            Err(Error::data(path, "is no run directory: it has no config.toml"))
        }
    }

    /// Whether there is a run in a directory.
    pub fn is_at(path: &Path) -> bool {
        path.join(CONFIG).is_file()
    }

    /// The same directory, for this process alone to train in.
    ///
    /// # Errors
    /// One that another process trains in, or that cannot be written.
    pub fn locked(self) -> Result<Self> {
        let path = self.path.join(LOCK);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|error| Error::io(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(RunDir {
                _lock: Some(file),
                ..self
            }),
            Err(TryLockError::WouldBlock) => Err(Error::Run(format!(
                "{}: another process is training here; wait for it, or name another directory by --out",
                self.path.display()
            ))),
            Err(TryLockError::Error(error)) => Err(Error::io(path, error)),
        }
    }

    /// The run's experiment, which reads what the run holds, whatever became of the originals.
    ///
    /// # Errors
    /// A config that is not what the run wrote.
    pub fn experiment(&self) -> Result<Experiment> {
        config::load(&self.config_path(), &kept::sets(&self.path)?)
    }

    /// The run's experiment, and its model as of the last checkpoint, which is named.
    ///
    /// # Errors
    /// A run that has no checkpoint, or one that does not fit its config.
    pub fn restore(&self, device: Option<DeviceChoice>) -> Result<Restored> {
        let experiment = self.experiment()?;
        let device = device.unwrap_or(experiment.device).resolve()?;
        let newest = self
            .checkpoints()
            .newest(u64::MAX, Wanted::Weights, |report| tracing::warn!("{report}"))?;
        let checkpoint = newest.ok_or_else(|| self.no_checkpoint())?;
        let model = Model::restore(&experiment, device, &checkpoint)?;
        Ok(Restored {
            experiment,
            device,
            checkpoint: weights_of(&checkpoint.path),
            model,
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

    /// Replaces `config.toml`: the run goes on under another config.
    ///
    /// # Errors
    /// The disk's.
    pub fn write_config(&self, experiment: &Experiment) -> Result<()> {
        self.write(CONFIG, RunDir::config_of(experiment)?.as_bytes())
    }

    /// What [`RunDir::save_init`] writes.
    pub fn init_path(&self) -> PathBuf {
        self.path.join(INIT)
    }

    /// Writes the backbone before training, so that it can be evaluated when the file it came from is gone.
    ///
    /// # Errors
    /// The disk's.
    pub fn save_init(&self, model: &Model) -> Result<()> {
        weights::write(model.backbone(), &self.init_path())
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

    /// Whether the run has a result.
    pub fn is_finished(&self) -> bool {
        self.path.join(RESULT).is_file()
    }

    /// Takes away the result of a run that goes on.
    ///
    /// # Errors
    /// The disk's.
    pub fn remove_result(&self) -> Result<()> {
        let path = self.path.join(RESULT);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, error)),
            _ => Ok(()),
        }
    }

    /// Adds a line to `metrics.jsonl`, which is on the disk before a checkpoint counts on it.
    ///
    /// # Errors
    /// The disk's.
    pub fn append_metrics(&self, metrics: &impl Serialize) -> Result<()> {
        let path = self.path.join(METRICS);
        let line = serde_json::to_string(metrics).map_err(|error| Error::Run(format!("metrics: {error}")))?;
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let written = file.and_then(|mut file| {
            writeln!(file, "{line}")?;
            file.sync_data()
        });
        written.map_err(|error| Error::io(path, error))
    }

    /// Cuts `metrics.jsonl` to its first lines, those of the epochs that a checkpoint knows; how many are there.
    ///
    /// # Errors
    /// The disk's.
    pub fn keep_metrics(&self, lines: usize) -> Result<usize> {
        let path = self.path.join(METRICS);
        let cut = || {
            let text = match fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
                text => text?,
            };
            let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            let ends: Vec<_> = ends.map(|(end, _)| end + 1).take(lines).collect();
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(ends.last().copied().unwrap_or(0) as u64)?;
            file.sync_all()?;
            Ok(ends.len())
        };
        cut().map_err(|error: std::io::Error| Error::io(&path, error))
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

/// That there is nothing in a directory but what a process leaves that was killed before it had a config.
fn require_unused(path: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(path) else { return Ok(()) };
    let is_nothing = |entry: fs::DirEntry| match entry.file_name().to_str() {
        Some(CHECKPOINTS) => fs::read_dir(entry.path()).is_ok_and(|mut entries| entries.next().is_none()),
        Some(name) => name == LOCK || name == kept::FILES || name == ".config.toml.partial",
        None => false,
    };
    if entries.filter_map(|entry| entry.ok()).all(is_nothing) {
        return Ok(());
    }
    let way = match RunDir::is_at(path) {
        true => "; go on with the run in it by --resume auto, or name a new directory by --out",
        false => "; name a new directory by --out",
    };
    Err(Error::Run(format!("{}: is not empty{way}", path.display())))
}

/// A run that is sure to fail at its first checkpoint should fail now.
fn require_room(path: &Path, checkpoint_bytes: u64, keep: usize) -> Result<()> {
    // Beside the last ones: the best, and another while it is written.
    let count = keep as u64 + 2;
    let needed = checkpoint_bytes.saturating_mul(count).saturating_add(SMALL_FILES);
    // The directory itself may not be there yet.
    let there = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let disk = rustix::fs::statvfs(there).map_err(|error| Error::io(there, error.into()))?;
    let free = disk.f_bavail * disk.f_frsize;
    if free >= needed {
        return Ok(());
    }
    Err(Error::Run(format!(
        "{}: the disk has {} MiB free and this run needs {} MiB; free some, or choose another disk by --out",
        path.display(),
        free >> 20,
        needed.div_ceil(1 << 20)
    )))
}

/// `runs/NAME-1`, or the first number that is free.
fn unused(name: &str) -> PathBuf {
    let mut number = 1;
    loop {
        let path = Path::new("runs").join(format!("{name}-{number}"));
        if !path.exists() {
            return path;
        }
        number += 1;
    }
}

/// Every crate that registered a part in this binary, with its version.
fn linked_crates() -> BTreeMap<&'static str, &'static str> {
    let parts = registry::kinds().into_iter().flat_map(|kind| (kind.list)());
    parts.map(|part| (part.crate_name, part.version)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn create(out: &Path, checkpoint_bytes: u64) -> Result<RunDir> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        let text = r#"
            dataset = "digits"
            backbone = "resnet"
            architecture = "simclr"
            objective = "infonce"
            optimizer = "sgd"
            train = { epochs = 1, batch_size = 8, lr = 0.1 }
        "#;
        fs::write(&file, text).unwrap();
        let experiment = config::load(&file, &[]).unwrap();
        let options = TrainOptions {
            out: Some(out.to_path_buf()),
            name: "x".into(),
            ..TrainOptions::default()
        };
        RunDir::create(&options, &experiment, checkpoint_bytes)
    }

    #[test]
    fn a_run_directory_holds_the_complete_config_and_the_linked_crates() {
        let folder = tempfile::tempdir().unwrap();
        let run = create(&folder.path().join("run"), 100).unwrap();
        let config = fs::read_to_string(run.config_path()).unwrap();
        assert!(
            config.contains("temperature = 0.5") && config.contains("momentum = 0.9"),
            "{config}"
        );
        let crates = fs::read_to_string(run.path().join("crates.json")).unwrap();
        assert!(crates.contains("fmicl-baselines"), "{crates}");
        assert!(config::load(&run.config_path(), &[]).is_ok());
    }

    #[test]
    fn a_directory_in_use_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine.txt"), "mine").unwrap();
        let message = create(folder.path(), 100).unwrap_err().to_string();
        assert!(
            message.ends_with("is not empty; name a new directory by --out"),
            "{message}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_disk_without_room_is_found_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let message = create(&folder.path().join("run"), u64::MAX / 2)
            .unwrap_err()
            .to_string();
        assert!(message.contains("MiB free and this run needs"), "{message}");
        assert!(
            !folder.path().join("run").exists(),
            "the same command can be tried again"
        );
    }

    #[test]
    fn what_a_killed_process_left_before_it_had_a_config_is_no_run() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        fs::create_dir_all(out.join(CHECKPOINTS)).unwrap();
        fs::write(out.join(LOCK), "").unwrap();
        fs::write(out.join(".config.toml.partial"), "data").unwrap();
        let run = create(&out, 100).unwrap();
        let second = RunDir::open(run.path()).unwrap().locked().unwrap_err().to_string();
        assert!(second.contains("another process is training here"), "{second}");
        drop(run);
        assert!(
            RunDir::open(&out).unwrap().locked().is_ok(),
            "the lock ends with the process"
        );
        let message = create(&out, 100).unwrap_err().to_string();
        assert!(
            message.contains("go on with the run in it by --resume auto"),
            "{message}"
        );
    }

    #[test]
    fn metrics_are_cut_to_the_lines_of_a_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let run = create(&folder.path().join("run"), 100).unwrap();
        assert_eq!(run.keep_metrics(3).unwrap(), 0);
        for epoch in 1..=3 {
            run.append_metrics(&epoch).unwrap();
        }
        let text = || fs::read_to_string(run.path().join(METRICS)).unwrap();
        assert_eq!((run.keep_metrics(5).unwrap(), text()), (3, "1\n2\n3\n".into()));
        assert_eq!((run.keep_metrics(2).unwrap(), text()), (2, "1\n2\n".into()));
        // A line that was cut off in the middle.
        fs::write(run.path().join(METRICS), "1\n2\n{\"epo").unwrap();
        assert_eq!((run.keep_metrics(3).unwrap(), text()), (2, "1\n2\n".into()));
    }
}
