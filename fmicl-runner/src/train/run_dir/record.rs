//! What a run writes down as it goes: `metrics.jsonl`, and `result.json` at its end.

use super::{METRICS, RESULT, RunDir};
use fmicl_core::{Error, Result};
use serde::Serialize;
use std::fs::{self, OpenOptions};
use std::io::Write;

impl RunDir {
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
}
