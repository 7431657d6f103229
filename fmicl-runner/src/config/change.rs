//! A change of a config: a value for a key, from the command line, a sweep or the program itself.

use super::tree::{Node, Origin, Value};
use super::{Experiment, broken};
use fmicl_core::{Error, Result};
use serde::Deserialize;
use std::path::Path;
use toml::de::{DeValue, ValueDeserializer};
use toml::map::Map;

/// A value that is laid over what a config has at a key.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Change {
    /// Dotted.
    key: String,
    value: toml::Value,
    /// As `--set` takes it.
    text: String,
    /// Where it was written.
    origin: Origin,
}

/// The most parts of a key: a table within a table for each must not exhaust the stack.
const DEEPEST: usize = 64;

impl Change {
    /// The change that `--set KEY=VALUE` would be.
    pub fn set(key: &str, value: impl Into<toml::Value>) -> Self {
        let (key, value) = (key.to_string(), value.into());
        let text = format!("{key}={value}");
        Change::of(key, value, &text)
    }

    /// As [`set`](Change::set), for a key that was read from a file.
    ///
    /// # Errors
    /// A config error where it is no dotted key.
    pub fn of_file(key: &str, value: toml::Value, origin: &Origin) -> Result<Self> {
        let wrong = |why| origin.error("", &format!("`{key}={value}`: {why}"));
        require_key(key).map_err(wrong)?;
        Ok(Change::set(key, value).written_at(origin.clone()))
    }

    /// Parses the argument of `--set`; the value is TOML, or otherwise a string.
    ///
    /// # Errors
    /// A config error where it is no `key=value`.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why| Error::config(format!("--set {text}: {why}"));
        let (key, value) = read(text).map_err(wrong)?;
        Ok(Change::of(key, value, text))
    }

    /// As [`parse`](Change::parse), each of several.
    ///
    /// # Errors
    /// As there.
    pub fn parse_all(texts: &[String]) -> Result<Vec<Self>> {
        texts.iter().map(|text| Change::parse(text)).collect()
    }

    /// The same for the key below a table.
    #[must_use]
    pub fn below(self, table: &str) -> Self {
        let origin = self.origin;
        let changed = Change::of(format!("{table}.{}", self.key), self.value, &self.text);
        Change { origin, ..changed }
    }

    fn of(key: String, value: toml::Value, text: &str) -> Self {
        let origin = Origin::Set {
            key: key.as_str().into(),
            text: text.into(),
        };
        Change {
            key,
            value,
            text: text.into(),
            origin,
        }
    }

    /// The same, written elsewhere than on the command line: a file that it names for a table to extend is relative to the file
    /// there.
    #[must_use]
    pub fn written_at(self, origin: Origin) -> Self {
        let mut value = self.value.clone();
        let folder = origin.folder();
        match &mut value {
            toml::Value::String(path) if self.is_extends() => make_absolute(path, &folder),
            value => extends_absolute(value, &folder),
        }
        let there = (value != self.value).then(|| Change::set(&self.key, value));
        Change {
            origin,
            ..there.unwrap_or(self)
        }
    }

    /// Returns true if it names a file for a table to extend, which is not there any more once it is read.
    fn is_extends(&self) -> bool {
        self.key == "extends" || self.key.ends_with(".extends")
    }

    /// Returns true if the experiment still has something at its key: another part may have taken its place.
    pub fn is_kept_by(&self, experiment: &Experiment) -> bool {
        self.is_extends() || experiment.source().is_none_or(|source| source.has(&self.key))
    }

    /// Returns true if `later` gives the value at its key anew, with a table around it.
    pub fn is_undone_by(&self, later: &Change) -> bool {
        let below = self.key.strip_prefix(&later.key);
        below.is_some_and(|below| below.starts_with('.')) && later.says(&self.key)
    }

    /// The changed key, dotted.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// As `--set` takes it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns true if it was written on the command line.
    pub fn is_of_the_command_line(&self) -> bool {
        matches!(self.origin, Origin::Set { .. })
    }

    /// Returns true if its own value says what is at these dotted keys.
    pub fn says(&self, keys: &str) -> bool {
        self.tree().has(keys)
    }

    /// The value in tables down to its key.
    pub fn tree(&self) -> Node {
        let value = Node::of(self.value.clone(), &self.origin);
        let within = |inner, key: &str| Value::Table(Map::from_iter([(key.trim().to_string(), inner)]));
        let outer = |inner, key| Node::new(self.origin.clone(), within(inner, key));
        self.key.rsplit('.').fold(value, outer).with_evaluations_spelled_out()
    }

    /// The config error about it, with its place.
    pub fn wrong(&self, message: &str) -> Error {
        match &self.origin {
            Origin::Set { .. } => Error::config(format!("{}: {message}", self.origin)),
            origin => origin.error("", &format!("`{}`: {message}", self.text)),
        }
    }
}

/// In a file, whose reader adds the place.
impl TryFrom<String> for Change {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (key, value) = read(&text).map_err(|why| format!("`{text}`: {why}"))?;
        Ok(Change::of(key, value, &text))
    }
}

/// The paths of all `extends` within a value.
fn extends_absolute(value: &mut toml::Value, folder: &Path) {
    match value {
        toml::Value::Table(table) => table.iter_mut().for_each(|(key, value)| match value {
            toml::Value::String(path) if key == "extends" => make_absolute(path, folder),
            value => extends_absolute(value, folder),
        }),
        toml::Value::Array(values) => values.iter_mut().for_each(|value| extends_absolute(value, folder)),
        _ => {}
    }
}

fn make_absolute(path: &mut String, folder: &Path) {
    if !path.starts_with('~') {
        let there = folder.join(&*path);
        *path = std::path::absolute(&there)
            .unwrap_or(there)
            .to_string_lossy()
            .into_owned();
    }
}

const EXPECTED: &str = "expected key=value, such as train.epochs=10";

fn require_key(key: &str) -> Result<(), String> {
    match key.split('.').any(str::is_empty) || key.split('.').count() > DEEPEST {
        true => Err(EXPECTED.into()),
        false => Ok(()),
    }
}

/// The key and the value of a `key=value`, or why it is none.
fn read(text: &str) -> Result<(String, toml::Value), String> {
    let (key, value) = text.split_once('=').ok_or(EXPECTED)?;
    let (key, value) = (key.trim(), value.trim());
    require_key(key)?;
    let value = match DeValue::parse(value) {
        Ok(value) => toml::Value::deserialize(ValueDeserializer::from(value)).map_err(|_| super::parse::TOO_LARGE)?,
        // What begins like a table, a list or a text in quotes was meant as one.
        Err(error) if value.starts_with(['{', '[', '"', '\'']) => return Err(broken::words(value, &error).1),
        Err(_) => value.into(),
    };
    Ok((key.to_string(), value))
}
