//! A run's directory: `config.toml`, `crates.json`, `metrics.jsonl`, `checkpoints/`, `result.json`, `log.txt`, and
//! `init.safetensors` where the backbone started with a file of weights.

use super::{Model, TrainOptions};
use crate::config::{self, Experiment};
use crate::{DeviceChoice, weights};
use fmicl_core::registry;
use fmicl_core::tch::Device;
use fmicl_core::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Checkpoints that are kept; older ones are deleted when a newer one is whole.
const KEPT: u64 = 2;
/// Room for everything but checkpoints.
const SMALL_FILES: u64 = 8 << 20;

/// The backbone before training, where it started with a file of weights.
const INIT: &str = "init.safetensors";

/// A run's directory.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
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
    /// Makes the directory and writes down what is run: the complete config and the linked crates.
    ///
    /// # Errors
    /// What `config.toml` says of a run of the experiment: all of its config, with `init` as the run's own copy of
    /// the file, so that the directory can be moved.
    ///
    /// # Errors
    /// A value that has no form in TOML.
    pub fn config_of(experiment: &Experiment) -> Result<String> {
        let mut config = experiment.to_table()?;
        let Some(init) = &experiment.init else {
            return config::write(&config);
        };
        config.insert("init".into(), INIT.into());
        let origin = std::path::absolute(init).unwrap_or_else(|_| init.clone());
        Ok(format!(
            "# init: the backbone of {origin:?}\n{}",
            config::write(&config)?
        ))
    }

    /// A directory that is in use or cannot be written, or a disk without room for the checkpoints.
    pub fn create(options: &TrainOptions, experiment: &Experiment, checkpoint_bytes: u64) -> Result<Self> {
        let path = match &options.out {
            Some(path) => path.clone(),
            None => unused(&options.name),
        };
        if fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Error::Run(format!(
                "{}: is not empty; name a new directory by --out",
                path.display()
            )));
        }
        // Nothing is made before what can be known to fail has been tried, so that the same command can be tried again.
        let config = RunDir::config_of(experiment)?;
        require_room(&path, checkpoint_bytes)?;
        fs::create_dir_all(path.join("checkpoints")).map_err(|error| Error::io(&path, error))?;
        let run = RunDir { path };
        run.write("config.toml", config.as_bytes())?;
        run.write_json("crates.json", &linked_crates())?;
        Ok(run)
    }

    /// A directory that [`RunDir::create`] made.
    ///
    /// # Errors
    /// A path that is no such directory.
    pub fn open(path: &Path) -> Result<Self> {
        let run = RunDir {
            path: path.to_path_buf(),
        };
        if run.config_path().is_file() {
            Ok(run)
        } else {
            Err(Error::data(path, "is no run directory: it has no config.toml"))
        }
    }

    /// The run's experiment, and its model as of the last checkpoint, which is named.
    ///
    /// # Errors
    /// A run that has no checkpoint, or one that does not fit its config.
    pub fn restore(&self, device: Option<DeviceChoice>) -> Result<Restored> {
        let experiment = config::load(&self.config_path(), &[])?;
        let device = device.unwrap_or(experiment.device).resolve()?;
        let checkpoint = self.last_checkpoint()?;
        let model = Model::restore(&experiment, device, &checkpoint)?;
        Ok(Restored {
            experiment,
            device,
            checkpoint,
            model,
        })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The complete config of the run.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
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

    /// Adds a line to `metrics.jsonl`.
    ///
    /// # Errors
    /// The disk's.
    pub fn append_metrics(&self, metrics: &impl Serialize) -> Result<()> {
        let path = self.path.join("metrics.jsonl");
        let line = serde_json::to_string(metrics).map_err(|error| Error::Run(format!("metrics: {error}")))?;
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| writeln!(file, "{line}"))
            .map_err(|error| Error::io(path, error))
    }

    /// Writes the weights after `epoch` and deletes the oldest checkpoints beyond those that are kept.
    ///
    /// # Errors
    /// The disk's.
    pub fn save_checkpoint(&self, epoch: usize, model: &Model) -> Result<()> {
        model.save(&self.checkpoint_path(epoch))?;
        self.prune()
    }

    fn checkpoint_path(&self, epoch: usize) -> PathBuf {
        self.path.join(format!("checkpoints/epoch-{epoch:05}.safetensors"))
    }

    fn prune(&self) -> Result<()> {
        for old in self.checkpoints()?.into_iter().rev().skip(KEPT as usize) {
            fs::remove_file(&old).map_err(|error| Error::io(old, error))?;
        }
        Ok(())
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// A run that has none.
    pub fn last_checkpoint(&self) -> Result<PathBuf> {
        let none = || Error::data(&self.path, "has no checkpoint yet");
        self.checkpoints()?.pop().ok_or_else(none)
    }

    /// All checkpoints, the newest last.
    fn checkpoints(&self) -> Result<Vec<PathBuf>> {
        let folder = self.path.join("checkpoints");
        let entries = fs::read_dir(&folder).map_err(|error| Error::io(&folder, error))?;
        let mut found: Vec<_> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        found.retain(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
        found.sort();
        Ok(found)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let (path, partial) = (self.path.join(name), self.path.join(format!(".{name}.partial")));
        // Whole or not at all: a result stands for a finished run.
        let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, &path));
        written.map_err(|error| Error::io(path, error))
    }
}

/// A run that is sure to fail at its first checkpoint should fail now.
fn require_room(path: &Path, checkpoint_bytes: u64) -> Result<()> {
    // One more than is kept, while the newest is written.
    let needed = checkpoint_bytes.saturating_mul(KEPT + 1).saturating_add(SMALL_FILES);
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
    fn only_the_last_checkpoints_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let run = create(&folder.path().join("run"), 100).unwrap();
        for epoch in [1, 9, 10, 11] {
            fs::write(run.checkpoint_path(epoch), "weights").unwrap();
            run.prune().unwrap();
        }
        assert_eq!(
            run.checkpoints().unwrap(),
            [run.checkpoint_path(10), run.checkpoint_path(11)]
        );
        assert_eq!(run.last_checkpoint().unwrap(), run.checkpoint_path(11));
    }
}
