//! How far a server is: `mlflow.json` in the run's directory.

use super::address::normalised;
use fmicl_core::{Error, Result, disk};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The run on a server, and what it has got.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The server.
    pub uri: String,
    /// A name of the run that no other one has, by which it is found where the answer to its creation was lost.
    pub id: String,
    /// The server's name of the run, once it is there.
    pub run: Option<String>,
    /// The bytes of `mlflow.jsonl` that the server has.
    pub sent: u64,
}

impl State {
    /// That of a run directory for a server, whose address is [normalised]; a new one if there is none, or it is of another server.
    ///
    /// # Errors
    /// The disk's, or a file that is not a run's.
    pub fn read(path: &Path, uri: &str, new_id: impl FnOnce() -> String) -> Result<Self> {
        let state = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            bytes => {
                let bytes = bytes.map_err(|error| Error::io(path, error))?;
                let read: Result<State, _> = serde_json::from_slice(&bytes);
                Some(read.map_err(|error| {
                    Error::data(
                        path,
                        format!("is not a run's ({error}); without it, the server gets a new run"),
                    )
                })?)
            }
        };
        let new = || State {
            uri: uri.into(),
            id: new_id(),
            ..State::default()
        };
        let is_there = |state: &State| normalised(&state.uri).is_ok_and(|there| there == uri);
        Ok(state.filter(is_there).unwrap_or_else(new))
    }

    /// Writes it.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_string(self).map_err(|error| Error::Run(error.to_string()))?;
        disk::replace(path, format!("{json}\n").as_bytes())
    }
}
