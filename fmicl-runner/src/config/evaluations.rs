//! The section `[evaluations]`.

use fmicl_core::{Error, Evaluation, Part, Result, registry};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::BTreeMap;
use std::fmt;

/// The evaluations of an experiment by their names, in alphabetical order.
///
/// A table `[evaluations.NAME]` has the options of the evaluation NAME; with an option `name`, of the one that this names, so
/// that one evaluation can be run twice. `NAME = false` leaves one out. Those that are [run by
/// default](Evaluation::is_default) are there wherever the dataset has labels. A list of names is those alone, with the
/// options that are given elsewhere, and `evaluations = []` is none; in a table `defaults = false` leaves out all that it does not name.
#[derive(Debug, Default)]
pub struct Evaluations {
    /// By name; nothing for one that is left out.
    named: BTreeMap<String, Option<Part<dyn Evaluation>>>,
    /// Whether those that are run by default are left out unless they are named.
    alone: bool,
}

impl Evaluations {
    /// The evaluations that run, with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Part<dyn Evaluation>)> {
        let named = self.named.iter();
        named.filter_map(|(name, part)| Some((name.as_str(), part.as_ref()?)))
    }

    /// Adds those that are run by default and not named.
    pub(super) fn add_defaults(&mut self) {
        for listing in registry::list::<dyn Evaluation>() {
            let part = Part::<dyn Evaluation>::new(listing.name, toml::Table::new());
            if let Some(part) = part.ok().filter(|part| part.is_default()) {
                let default = Some(part).filter(|_| !self.alone);
                self.named.entry(listing.name.to_string()).or_insert(default);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty()
    }
}

/// The part that a table, a name or `true` stands for; nothing for `false`.
fn part(name: &str, value: toml::Value) -> Result<Option<Part<dyn Evaluation>>> {
    let mut options = match value {
        toml::Value::Boolean(false) => return Ok(None),
        toml::Value::Boolean(true) => toml::Table::new(),
        toml::Value::Table(table) => table,
        toml::Value::String(part) => toml::Table::from_iter([("name".to_string(), part.into())]),
        other => {
            return Err(Error::config(format!(
                "expected a table of the evaluation's options, true or false; found {} `{other}`",
                other.type_str()
            )));
        }
    };
    options.entry("name").or_insert(name.into());
    Part::from_value(options.into()).map(Some)
}

/// The key that says whether evaluations that are run by default are run where they are not named.
pub(super) const DEFAULTS: &str = "defaults";

/// The evaluations as they are written.
struct Written;

impl<'de> de::Visitor<'de> for Written {
    /// Options by name, and whether those that are run by default are left out.
    type Value = (BTreeMap<String, toml::Value>, bool);

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a table of evaluations by name, or a list of names")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let wrong = |found: &toml::Value| {
            let found = match found {
                // A list of names is a table by now.
                toml::Value::Array(names) => names.iter().find(|name| !name.is_str()).unwrap_or(found),
                found => found,
            };
            de::Error::custom(format_args!(
                "expected a table of evaluations by name, or a list of names; found {} `{found}`",
                found.type_str()
            ))
        };
        let value = toml::Value::deserialize(deserializer)?;
        let toml::Value::Table(mut table) = value else {
            return Err(wrong(&value));
        };
        let alone = match table.remove(DEFAULTS) {
            None | Some(toml::Value::Boolean(true)) => false,
            Some(toml::Value::Boolean(false)) => true,
            Some(other) => {
                return Err(de::Error::custom(format_args!(
                    "`{DEFAULTS}` says whether evaluations that are run by default are run, true or false; found `{other}`"
                )));
            }
        };
        Ok((table.into_iter().collect(), alone))
    }
}

impl<'de> Deserialize<'de> for Evaluations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By the kind's name in the plural, a deserializer knows that it is a table of parts.
        let (tables, alone) = deserializer.deserialize_newtype_struct("evaluations", Written)?;
        let named = tables.into_iter().map(|(name, value)| {
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
            let part = match !name.is_empty() && name.chars().all(is_plain) {
                true => part(&name, value).map_err(|error| error.at(&name)),
                false => Err(Error::config(format!(
                    "`{name}`: the name of an evaluation consists of letters, digits, `-` and `_`"
                ))),
            };
            Ok((name, part.map_err(registry::throw)?))
        });
        let named = named.collect::<Result<_, _>>()?;
        Ok(Evaluations { named, alone })
    }
}

impl Serialize for Evaluations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Written<'a> {
            Run(&'a Part<dyn Evaluation>),
            LeftOut(bool),
        }
        serializer.collect_map(self.named.iter().map(|(name, part)| {
            let written = part.as_ref().map_or(Written::LeftOut(false), Written::Run);
            (name, written)
        }))
    }
}
