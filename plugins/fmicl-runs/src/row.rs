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

/// Below it every whole number is one of f64.
const WHOLE: f64 = (1u64 << 53) as f64;

/// The value of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// A list, as TOML has it and as JSON has it.
    List(String, Value),
}

impl Field {
    /// Numbers by their value before anything else, which goes by its text.
    pub fn order(&self, other: &Field) -> Ordering {
        match (self.number(), other.number()) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            (None, None) => self.text().cmp(&other.text()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
        }
    }

    /// The number, of one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Field::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// In a cell.
    pub fn text(&self) -> String {
        match self {
            Field::Text(text) | Field::List(text, _) => text.clone(),
            Field::Number(number) => number.to_string(),
            Field::Bool(value) => value.to_string(),
        }
    }

    /// In JSON; a number that is not finite is null, and a whole one has no point.
    pub fn json(&self) -> Value {
        match self {
            Field::Text(text) => json!(text),
            Field::Number(number) if number.fract() == 0.0 && number.abs() < WHOLE => json!(*number as i64),
            Field::Number(number) => json!(number),
            Field::Bool(value) => json!(value),
            Field::List(_, list) => list.clone(),
        }
    }
}

impl From<&toml::Value> for Field {
    fn from(value: &toml::Value) -> Self {
        match value {
            toml::Value::Integer(number) => Field::Number(*number as f64),
            toml::Value::Float(number) => Field::Number(*number),
            toml::Value::String(text) => Field::Text(text.clone()),
            toml::Value::Boolean(value) => Field::Bool(*value),
            toml::Value::Array(list) => {
                let values = list.iter().map(|value| Field::from(value).json());
                Field::List(value.to_string(), values.collect())
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_kind_in_json() {
        let table: toml::Table =
            toml::from_str("a = 3\nb = 0.5\nc = true\nd = \"3\"\ne = [0.2, 1]\nf = [\"x\", false]\ng = nan").unwrap();
        let found = config(&table);
        let json: serde_json::Map<String, Value> =
            found.iter().map(|(key, field)| (key.clone(), field.json())).collect();
        let expected = json!({"a": 3, "b": 0.5, "c": true, "d": "3", "e": [0.2, 1], "f": ["x", false], "g": null});
        assert_eq!(Value::Object(json), expected);
        assert_eq!(found["e"].text(), "[0.2, 1]");
        assert_eq!(found["a"].order(&found["c"]), Ordering::Less);
    }
}
