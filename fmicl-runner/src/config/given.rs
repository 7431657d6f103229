//! The options of an experiment that are not left at their defaults.

use super::{Experiment, Origin};
use fmicl_core::Result;
use std::fmt;
use toml::{Table, Value};

/// An option that has another value than its default, or none.
#[derive(Debug)]
pub(crate) struct Given {
    /// Dotted, such as `backbone.width`; of a part's name the part's.
    key: String,
    value: Value,
    /// Where it was written, if that is known.
    origin: Option<Origin>,
}

impl Experiment {
    /// Every option that is not at its default, in the order of the keys. Parts and sections are not asked for their
    /// defaults: an option is at its default where the experiment has the same value without it.
    ///
    /// # Errors
    /// A value that has no form in TOML.
    pub(crate) fn given(&self) -> Result<Vec<Given>> {
        let all = self.to_table()?;
        let chosen: Vec<String> = self.chosen().collect();
        let keys = chosen.iter().map(|key| key.split('.').collect::<Vec<_>>());
        // What was chosen depends on what is given.
        let whole = keys.fold(all, |table, key| without(&table, &key));
        let is_default = |key: &[&str]| {
            // A part without a name is none: of a name the whole part is left out.
            let left_out = key.strip_suffix(&["name"]).unwrap_or(key);
            let experiment = Experiment::read(without(&whole, left_out));
            let table = experiment.and_then(|(experiment, _)| experiment.to_table());
            table.is_ok_and(|table| value_at(&table, key) == value_at(&whole, key))
        };
        let mut found = Vec::new();
        leaves(&whole, &mut Vec::new(), &mut |key, value| {
            if is_default(key) {
                return;
            }
            let origin = self
                .source()
                .map(|source| source.nearest(&key.join(".")).origin.clone());
            let key = key.strip_suffix(&["name"]).unwrap_or(key).join(".");
            let value = value.clone();
            found.push(Given { key, value, origin });
        });
        Ok(found)
    }
}

/// Calls `found` for every value that is no table, a table's name first.
fn leaves<'a>(table: &'a Table, above: &mut Vec<&'a str>, found: &mut impl FnMut(&[&'a str], &'a Value)) {
    let is_name = |entry: &(&String, &Value)| entry.0 == "name";
    let (names, others): (Vec<_>, Vec<_>) = table.iter().partition(is_name);
    for (key, value) in names.into_iter().chain(others) {
        above.push(key);
        match value {
            Value::Table(inner) => leaves(inner, above, found),
            value => found(&above[..], value),
        }
        above.pop();
    }
}

fn value_at<'a>(table: &'a Table, key: &[&str]) -> Option<&'a Value> {
    match key {
        [] => None,
        [last] => table.get(*last),
        [first, rest @ ..] => value_at(table.get(*first)?.as_table()?, rest),
    }
}

/// The table without the value at a key.
fn without(table: &Table, key: &[&str]) -> Table {
    let mut table = table.clone();
    match key {
        [] => (),
        [last] => drop(table.remove(*last)),
        [first, rest @ ..] => {
            if let Some(Value::Table(inner)) = table.get_mut(*first) {
                *inner = without(inner, rest);
            }
        }
    }
    table
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} = {}", self.key, self.value)?;
        match &self.origin {
            Some(origin) => write!(f, "  ({origin})"),
            None => Ok(()),
        }
    }
}
