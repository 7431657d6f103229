//! A part chosen in a config.

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

impl<T: Kind + ?Sized> Clone for Part<T> {
    /// The same part, shared.
    fn clone(&self) -> Self {
        Part {
            name: self.name,
            options: self.options.clone(),
            part: self.part.clone(),
        }
    }
}

impl<T: Kind + ?Sized> Part<T> {
    /// The part named `name` with `options`.
    ///
    /// # Errors
    /// [`Error::Config`] where the name is unknown or registered twice, or an option is unknown, missing, of
    /// the wrong type or out of range.
    pub fn new(name: &str, options: toml::Table) -> Result<Self> {
        let entry = registry::find::<T>(name)?;
        let built = (entry.build)(options).map_err(|error| match &error {
            Error::Config { key, .. } if key.is_empty() => {
                Error::config(format!("{error}, for the {} `{name}`", T::NAME))
            }
            _ => error,
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
        let wrong = |found: String| {
            Error::config(format!(
                "expected the name of a part ({}), or a table with `name` and options; {found}",
                T::NAME
            ))
        };
        match value {
            toml::Value::String(name) => Part::new(&name, toml::Table::new()),
            toml::Value::Table(mut options) => match options.remove("name") {
                Some(toml::Value::String(name)) => Part::new(&name, options),
                Some(other) => Err(wrong(format!("its `name` is {}", registry::shown(&other)))),
                None => {
                    let names = registry::names::<T>().join(", ");
                    Err(wrong(format!("this table has no `name`; registered: {names}")))
                }
            },
            other => Err(wrong(format!("found {}", registry::shown(&other)))),
        }
    }

    /// The part with the value of one more option; `option` is dotted for one of a part that it contains.
    ///
    /// # Errors
    /// As [`Part::new`].
    pub fn with(&self, option: &str, value: toml::Value) -> Result<Self> {
        let mut options = self.options.clone();
        insert(&mut options, option, value)?;
        Part::new(self.name, options)
    }

    /// Shared ownership of the part, to keep it longer or on another thread.
    pub fn share(&self) -> Arc<T> {
        self.part.clone()
    }

    /// The registered name.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

fn insert(options: &mut toml::Table, option: &str, value: toml::Value) -> Result<()> {
    let Some((first, rest)) = option.split_once('.') else {
        options.insert(option.into(), value);
        return Ok(());
    };
    match options.get_mut(first) {
        Some(toml::Value::Table(inner)) => insert(inner, rest, value).map_err(|error| error.at(first)),
        _ => Err(Error::config(format!(
            "there is no part `{first}` to have an option `{rest}`"
        ))),
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

impl<'de, T: Kind + ?Sized> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By the kind's name, a deserializer knows that it is a part.
        let value = deserializer.deserialize_newtype_struct(T::NAME, Written)?;
        Part::from_value(value).map_err(registry::throw)
    }
}

/// A part as it is written.
struct Written;

impl<'de> de::Visitor<'de> for Written {
    type Value = toml::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("the name of a part, or a table with `name` and options")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<toml::Value, D::Error> {
        toml::Value::deserialize(deserializer)
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
