//! A part chosen in a config, and the words of serde's errors.

use crate::registry::{self, Kind};
use crate::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::sync::Arc;

/// A part chosen in a config: `"kl"`, or `{ name = "tsallis", alpha = 3.0 }`.
///
/// Use it as a field of an options struct to let one part contain others. It serialises with all options,
/// those left at their default included.
pub struct Part<T: Kind + ?Sized> {
    name: &'static str,
    options: toml::Table,
    part: Arc<T>,
}

impl<T: Kind + ?Sized> Part<T> {
    /// The part named `name` with `options`.
    ///
    /// # Errors
    /// [`Error::Config`] where the name is unknown or registered twice, or an option is unknown, missing, of
    /// the wrong type or out of range.
    pub fn new(name: &str, options: toml::Table) -> Result<Self> {
        let entry = registry::find::<T>(name)?;
        let built = (entry.build)(options).map_err(|error| match error {
            Error::Config { key, message } if key.is_empty() => {
                Error::config(format!("{message}, for the {} `{name}`", T::NAME))
            }
            other => other,
        })?;
        Ok(Part {
            name: entry.name,
            options: built.options,
            part: built.part.into(),
        })
    }

    /// The part as it is written in a config: a name, or a table with `name` and options.
    ///
    /// # Errors
    /// As [`Part::new`], and where the value is neither.
    pub fn from_value(value: toml::Value) -> Result<Self> {
        let form = || {
            format!(
                "expected the name of a part ({kind}), or a table with `name` and options",
                kind = T::NAME
            )
        };
        match value {
            toml::Value::String(name) => Part::new(&name, toml::Table::new()),
            toml::Value::Table(mut options) => match options.remove("name") {
                Some(toml::Value::String(name)) => Part::new(&name, options),
                Some(other) => Err(Error::config(format!("{}; its `name` is {}", form(), other.type_str()))),
                None => {
                    let mut names: Vec<_> = T::entries().iter().map(|entry| entry.name).collect();
                    names.sort_unstable();
                    Err(Error::config(format!(
                        "{}; this table has no `name`; registered: {}",
                        form(),
                        names.join(", ")
                    )))
                }
            },
            other => Err(Error::config(format!(
                "{}; found {} `{other}`",
                form(),
                other.type_str()
            ))),
        }
    }

    /// The part, for whoever keeps it longer or on another thread.
    pub fn share(&self) -> Arc<T> {
        self.part.clone()
    }

    /// The registered name.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl<T: Kind + ?Sized> std::ops::Deref for Part<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.part
    }
}

impl<T: Kind + ?Sized> std::fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, toml::Value::Table(self.options.clone()))
    }
}

impl<T: Kind + ?Sized> Serialize for Part<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = toml::Table::from_iter([("name".to_string(), self.name.into())]);
        table.extend(self.options.clone());
        table.serialize(serializer)
    }
}

/// serde carries an error as text only; a nested part's key travels in it, before this character.
const KEY_END: char = '\u{1f}';

impl<'de, T: Kind + ?Sized> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Part::deserialized(toml::Value::deserialize(deserializer)?)
    }
}

impl<T: Kind + ?Sized> Part<T> {
    /// As [`Part::from_value`], for who deserialises a field by itself: the key of an error arrives whole.
    ///
    /// # Errors
    /// As there.
    pub fn deserialized<E: de::Error>(value: toml::Value) -> Result<Self, E> {
        Part::from_value(value).map_err(in_serde)
    }
}

/// An error as one of serde's, for who deserialises parts by hand: its key arrives whole.
pub fn in_serde<E: de::Error>(error: Error) -> E {
    match error {
        Error::Config { key, message } => E::custom(format!("{key}{KEY_END}{message}")),
        other => E::custom(other),
    }
}

/// A config error at `key`, from serde's words for it.
pub(crate) fn from_serde(key: &str, message: &str) -> Error {
    let key = if key == "." { "" } else { key };
    if let Some((inner, message)) = message.split_once(KEY_END) {
        let message = message.to_string();
        return Error::Config {
            key: inner.to_string(),
            message,
        }
        .at_if(key);
    }
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (key, message) = match quoted[..] {
        // serde's path already ends in the unknown key.
        [found, ref known @ ..] if message.starts_with("unknown field") => {
            let hint = registry::did_you_mean(found, known);
            let parent = key.strip_suffix(found).map_or(key, |rest| rest.trim_end_matches('.'));
            let key = if parent.is_empty() {
                found.to_string()
            } else {
                format!("{parent}.{found}")
            };
            let message = match known {
                [] => "unknown key; there are no options here".to_string(),
                known => format!("unknown key{hint}; known keys: {}", known.join(", ")),
            };
            (key, message)
        }
        [found, ref known @ ..] if message.starts_with("unknown variant") => {
            let hint = registry::did_you_mean(found, known);
            (
                key.to_string(),
                format!("`{found}` is not one of {}{hint}", known.join(", ")),
            )
        }
        [missing] if message.starts_with("missing field") => {
            (key.to_string(), format!("the key `{missing}` is missing"))
        }
        _ => (key.to_string(), plain_type(message)),
    };
    Error::Config { key, message }
}

/// `expected f64` and the like, in words.
fn plain_type(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once("expected ") else {
        return message.to_string();
    };
    let words = match expected {
        "f64" | "f32" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a boolean" => "true or false",
        "a string" => "a text in quotes",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    let found = found
        .replace("floating point", "number")
        .replace("integer", "whole number");
    format!("{found}expected {words}")
}

impl Error {
    /// [`Error::at`], unless `outer` is empty.
    fn at_if(self, outer: &str) -> Error {
        if outer.is_empty() { self } else { self.at(outer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;

    #[test]
    fn a_table_without_a_name_is_told_the_names_there_are() {
        let error = Part::<dyn Engine>::from_value(toml::Table::new().into()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected the name of a part (engine), or a table with `name` and options; this table has no `name`; registered: \
             single"
        );
    }
}
