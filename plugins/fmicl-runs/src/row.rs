//! A run as fields by their keys.

use crate::metrics::Measured;
use fmicl_runner::config::leaves;
use fmicl_runner::run::{Observed, State};
use fmicl_runner::shown;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

/// Keys that every run has, beside those of its config and its metrics.
pub const OWN: [&str; 11] = [
    "state",
    "why",
    "name",
    "sweep",
    "started",
    "seen",
    "seconds",
    "epochs",
    "epochs_planned",
    "steps",
    "steps_planned",
];

/// The value of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
}

impl Field {
    /// Numbers by their value before texts.
    pub fn order(&self, other: &Field) -> Ordering {
        match (self, other) {
            (Field::Number(one), Field::Number(other)) => one.total_cmp(other),
            (Field::Text(one), Field::Text(other)) => one.cmp(other),
            (Field::Number(_), Field::Text(_)) => Ordering::Less,
            (Field::Text(_), Field::Number(_)) => Ordering::Greater,
        }
    }

    /// In a cell.
    pub fn text(&self) -> String {
        match self {
            Field::Text(text) => text.clone(),
            Field::Number(number) => number.to_string(),
        }
    }

    /// In JSON; a number that is not finite is null.
    pub fn json(&self) -> Value {
        match self {
            Field::Text(text) => json!(text),
            Field::Number(number) => json!(number),
        }
    }
}

impl From<&toml::Value> for Field {
    fn from(value: &toml::Value) -> Self {
        match value {
            toml::Value::Integer(number) => Field::Number(*number as f64),
            toml::Value::Float(number) => Field::Number(*number),
            toml::Value::String(text) => Field::Text(text.clone()),
            other => Field::Text(other.to_string()),
        }
    }
}

/// A run.
#[derive(Debug)]
pub struct Row {
    /// Its directory, as it was named.
    pub name: String,
    /// That of its sweep.
    pub sweep: Option<String>,
    /// Its files.
    pub observed: Observed,
    /// Its config by dotted keys; that of a part's name is the part's.
    pub config: BTreeMap<String, Field>,
    /// Its metrics.
    pub measured: Measured,
}

impl Row {
    /// The run in a directory.
    pub fn new(path: &Path, sweep: Option<&Path>) -> Self {
        let observed = Observed::new(path);
        Row {
            name: named(path),
            sweep: sweep.map(named),
            config: config(&observed.config),
            measured: Measured::of(&observed),
            observed,
        }
    }

    /// The value of a key of [`OWN`].
    pub fn own(&self, key: &str) -> Option<Field> {
        let count = |number: u64| Field::Number(number as f64);
        let (observed, done) = (&self.observed, &self.observed.done);
        let time = |time| Field::Text(shown::time(time));
        match key {
            "state" => Some(Field::Text(observed.state.to_string())),
            "why" => observed.why.clone().map(Field::Text),
            "name" => Some(Field::Text(self.name.clone())),
            "sweep" => self.sweep.clone().map(Field::Text),
            "started" => observed.started.map(time),
            "seen" => observed.seen.map(time),
            "seconds" => Some(Field::Number(observed.seconds)),
            "epochs" => Some(count(done.epochs)),
            "epochs_planned" => done.of_epochs.map(count),
            "steps" => Some(count(done.steps)),
            "steps_planned" => done.of_steps.map(count),
            _ => None,
        }
    }

    /// State as the table shows it: of a run that was broken off with its last sign of life.
    pub fn state(&self) -> String {
        let state = self.observed.state;
        match self.observed.seen.filter(|_| state == State::BrokenOff) {
            Some(seen) => format!("{state}, {}", shown::ago(seen, std::time::SystemTime::now())),
            None => state.to_string(),
        }
    }

    /// What is done, as the table shows it.
    pub fn done(&self) -> String {
        let done = &self.observed.done;
        let of = |planned: Option<u64>| planned.map_or("?".into(), |planned| planned.to_string());
        match (done.epochs, done.steps) {
            (0, 1..) => format!("{}/{} steps", done.steps, of(done.of_steps)),
            (epochs, _) => format!("{epochs}/{}", of(done.of_epochs)),
        }
    }
}

/// A path as it is told.
pub fn named(path: &Path) -> String {
    let path = path.strip_prefix(".").unwrap_or(path);
    match path.as_os_str().is_empty() {
        true => ".".into(),
        false => path.to_string_lossy().into_owned(),
    }
}

/// The values of a config by their keys; `objective.divergence` stands for `objective.divergence.name`.
pub fn config(table: &toml::Table) -> BTreeMap<String, Field> {
    let leaves = leaves(table).into_iter();
    leaves
        .map(|(key, value)| (part(&key).to_string(), Field::from(&value)))
        .collect()
}

/// The key of a part, of that of its name.
pub fn part(key: &str) -> &str {
    key.strip_suffix(".name").unwrap_or(key)
}
