//! The values of a config by their dotted keys.

use std::collections::BTreeMap;
use toml::{Table, Value};

/// The values of a table that are no tables, by their dotted keys, such as `objective.divergence.name`.
pub fn leaves(table: &Table) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    add(table, "", &mut found);
    found
}

fn add(table: &Table, above: &str, found: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let key = format!("{above}{key}");
        match value {
            Value::Table(inner) => add(inner, &format!("{key}."), found),
            value => drop(found.insert(key, value.clone())),
        }
    }
}
