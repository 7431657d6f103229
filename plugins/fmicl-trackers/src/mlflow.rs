//! Metrics and config of a run on an MLflow server. Training waits for no answer: what the server does not take is kept in
//! the run's directory and sent later.

#[cfg(test)]
mod fake;
mod sender;
mod server;
mod spool;
mod state;
#[cfg(test)]
mod tests;

use crate::{flat, names};
use fmicl_core::{Documented, Ending, MetricValues, Moment, Result, TrackedRun, Tracker, Tracking, register};
use sender::Sender;
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
/// The most letters of a parameter that every version takes.
const LONGEST: usize = 500;

impl Mlflow {
    fn uri(&self) -> Result<String> {
        let (uri, from) = match (&self.uri, std::env::var("MLFLOW_TRACKING_URI")) {
            (Some(uri), _) => (uri.clone(), ""),
            (None, Ok(uri)) if !uri.is_empty() => (uri, " (MLFLOW_TRACKING_URI)"),
            _ => (LOCAL.into(), ""),
        };
        let is_http = ["http://", "https://"].iter().any(|scheme| uri.starts_with(scheme));
        fmicl_core::require(is_http, "uri", || {
            format!("{uri:?}{from} is not the address of a server, such as \"{LOCAL}\"")
        })?;
        Ok(uri)
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
        state.sent = state.sent.min(spool.good());
        let folder = std::path::absolute(run.folder).unwrap_or_else(|_| run.folder.into());
        let params = flat::leaves(run.config).into_iter();
        let about = About {
            experiment: self.experiment.clone(),
            name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            id: state.id.clone(),
            start: now(),
            params: params.map(|(key, value)| (key, cut(flat::shown(&value)))).collect(),
        };
        let lines = (spool.path().to_path_buf(), spool.good());
        Ok(Box::new(Metrics {
            sender: Sender::start(Server::new(&uri), about, lines, (path, state)),
            spool,
            step: run.steps,
        }))
    }
}

/// The beginning of a text that is too long.
fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some(_) => text.chars().take(LONGEST - 1).chain(['…']).collect(),
        None => text,
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
        self.sender.tell(self.spool.good());
        Ok(())
    }

    fn epoch(&mut self, at: Moment, values: &MetricValues) -> Result<()> {
        self.step = at.step;
        self.spool.epoch(at, values, names::of_epoch);
        self.sender.tell(self.spool.good());
        Ok(())
    }

    /// What is not on the disk, or not sent, is no error: no checkpoint relies on it.
    fn flush(&mut self) -> Result<()> {
        self.spool.flush();
        self.sender.tell(self.spool.good());
        Ok(())
    }

    fn end(&mut self, ending: Ending) -> Result<()> {
        self.spool.end(ending, self.step, names::of_result);
        self.flush()?;
        self.sender.end();
        Ok(())
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.sender.end();
    }
}
