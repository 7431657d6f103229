//! `skipped.jsonl`: the samples that could not be read, a line each.

use fmicl_core::{Error, Result};
use fmicl_data::Unreadable;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

/// The list of samples that could not be read; by default there is no file, and they are forgotten.
#[derive(Debug, Default)]
pub struct Skipped {
    path: Option<PathBuf>,
    listed: BTreeSet<usize>,
}

impl Skipped {
    /// The list in a file, which may be there from before.
    pub fn at(path: PathBuf) -> Self {
        // What is no line of it was cut off by a kill.
        let lines = fs::read_to_string(&path).unwrap_or_default();
        let before = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
        Skipped {
            listed: before.map(|unreadable: Unreadable| unreadable.sample).collect(),
            path: Some(path),
        }
    }

    /// Lists samples, each once, and warns of them.
    ///
    /// # Errors
    /// The disk's.
    pub fn note(&mut self, unreadable: &[Unreadable]) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        for sample in unreadable {
            if !self.listed.insert(sample.sample) {
                continue;
            }
            tracing::warn!("sample {} is left out: {}", sample.sample, sample.error);
            let line = serde_json::to_string(sample).map_err(|error| Error::Run(format!("skipped.jsonl: {error}")))?;
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.and_then(|mut file| writeln!(file, "{line}"))
                .map_err(|error| Error::io(path, error))?;
        }
        Ok(())
    }
}
