//! Metrics and config of a run on an MLflow server. Training waits for no answer: what the server does not take is kept in
//! the run's directory and sent later.

mod address;
#[cfg(test)]
mod fake;
mod keys;
mod sender;
mod server;
mod spool;
mod state;
#[cfg(test)]
mod tests;

use crate::{flat, names};
use fmicl_core::{Documented, Ending, Error, MetricValues, Moment, Result, TrackedRun, Tracker, Tracking, register};
use keys::Keys;
use sender::{AT_THE_END, Sender};
use serde::{Deserialize, Serialize};
use server::{About, Server};
use spool::{Spool, now};
use state::State;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// An MLflow server.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mlflow {
    /// Address of the server. Absent by default: that of the environment variable MLFLOW_TRACKING_URI, or else
    /// `http://localhost:5000`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Name of the experiment, which is created if it is not there.
    pub experiment: String,
}

impl Default for Mlflow {
    fn default() -> Self {
        Mlflow {
            uri: None,
            experiment: "fmicl".into(),
        }
    }
}

register!(
    Tracker,
    "mlflow",
    Mlflow,
    "metrics and config on an MLflow server, kept and sent later while it cannot be reached"
);

/// Where `mlflow server` is found if it is told nothing.
const LOCAL: &str = "http://localhost:5000";

impl Mlflow {
    /// The server's address, in one spelling.
    fn uri(&self) -> Result<String> {
        let (uri, from) = match (&self.uri, std::env::var("MLFLOW_TRACKING_URI")) {
            (Some(uri), _) => (uri.clone(), ""),
            (None, Ok(uri)) if !uri.is_empty() => (uri, "; it is that of MLFLOW_TRACKING_URI"),
            _ => (LOCAL.into(), ""),
        };
        address::normalised(&uri).map_err(|why| Error::config(format!("{why}{from}")).at("uri"))
    }
}

impl Tracker for Mlflow {
    fn validate(&self) -> Result<()> {
        fmicl_core::require(!self.experiment.is_empty(), "experiment", || "the name is empty".into())?;
        self.uri().map(|_| ())
    }

    fn open(&self, run: &TrackedRun) -> Result<Box<dyn Tracking>> {
        let uri = self.uri()?;
        let path = run.folder.join("mlflow.json");
        let new_id = || format!("{:x}-{:016x}", now(), RandomState::new().hash_one(run.folder));
        let mut state = State::read(&path, &uri, new_id)?;
        let spool = Spool::open(run.folder.join("mlflow.jsonl"))?;
        state.sent = state.sent.min(spool.file.good());
        let folder = std::path::absolute(run.folder).unwrap_or_else(|_| run.folder.into());
        let mut keys = Keys::default();
        let params = flat::leaves(run.config).into_iter();
        let params = params.map(|(key, value)| (keys.key(&key), keys::value(flat::shown(&value))));
        let about = About {
            experiment: self.experiment.clone(),
            name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            id: state.id.clone(),
            start: now(),
            params: params.collect(),
        };
        let lines = (spool.file.path().to_path_buf(), spool.file.good());
        Ok(Box::new(Metrics {
            sender: Sender::start(Server::new(&uri), about, lines, (path, state)),
            spool,
            step: run.steps,
        }))
    }
}

#[derive(Debug)]
struct Metrics {
    spool: Spool,
    sender: Sender,
    /// The last step that was recorded.
    step: u64,
}

impl Tracking for Metrics {
    fn step(&mut self, at: Moment, values: &MetricValues) -> Result<()> {
        self.step = at.step;
        self.spool.step(at, values, names::of_step);
        self.sender.tell(&self.spool.file);
        Ok(())
    }

    fn epoch(&mut self, at: Moment, values: &MetricValues) -> Result<()> {
        self.step = at.step;
        self.spool.epoch(at, values, names::of_epoch);
        self.sender.tell(&self.spool.file);
        Ok(())
    }

    fn wants_tensors(&self) -> bool {
        false
    }

    /// What is not on the disk, or not sent, is no error: no checkpoint relies on it.
    fn flush(&mut self) -> Result<()> {
        self.spool.flush();
        self.sender.tell(&self.spool.file);
        Ok(())
    }

    fn end(&mut self, ending: Ending) -> Result<()> {
        self.spool.end(ending, self.step, names::of_result);
        self.flush()?;
        self.sender.end(AT_THE_END);
        Ok(())
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.sender.end(AT_THE_END);
    }
}
