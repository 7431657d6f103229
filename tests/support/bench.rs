//! Runs of an experiment as processes, to which something happens.

#[path = "hangups.rs"]
mod hangups;

use crate::experiment::EXPERIMENT;
use hangups::hear_hangups;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder with an experiment file and the runs of it.
pub struct Bench {
    pub folder: TempDir,
}

impl Bench {
    /// With the experiment after a change.
    pub fn new(change: impl Fn(&str) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x.toml"), change(EXPERIMENT)).unwrap();
        Bench { folder }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Trains the run `name` to step `last`, from its last checkpoint.
    pub fn train(&self, name: &str, last: u64) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
        command
            .current_dir(self.folder.path())
            .env("OMP_NUM_THREADS", "1")
            .args(["train", "x.toml", "--out", name, "--resume", "auto", "--stop-after"])
            .arg(last.to_string());
        hear_hangups(&mut command);
        command
    }

    /// As [`train`](Bench::train), to its end, which is a success.
    pub fn finish(&self, name: &str, last: u64) -> String {
        let (code, stderr) = ended(&self.train(name, last).output().unwrap());
        assert_eq!(code, 0, "{stderr}");
        stderr
    }

    /// The same in the background.
    pub fn start(&self, name: &str, last: u64) -> Child {
        let mut command = self.train(name, last);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The folders of a run's checkpoints, by their steps.
    pub fn checkpoints(&self, name: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path(name).join("checkpoints"));
        let mut all: Vec<_> = entries
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        all.sort();
        all
    }
}

/// The exit code and stderr.
pub fn ended(output: &Output) -> (i32, String) {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), stderr)
}

/// Waits for something that a running process does.
pub fn wait_until(child: &mut Child, what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        let running = child.try_wait().unwrap().is_none();
        assert!(
            running && started.elapsed() < Duration::from_secs(60),
            "{what} never came"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}
