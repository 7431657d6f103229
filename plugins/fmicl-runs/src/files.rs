//! The runs as CSV and as JSON, cells of sweeps among them.

use crate::keys::{BEST, Keys};
use crate::row::{Field, OWN, Row};
use serde_json::{Map, Value, json};

/// A line for each run: its own keys, those of configs that differ, and all metrics.
///
/// # Errors
/// In words.
pub fn csv(rows: &[&Row], keys: &Keys, changed: &[&str]) -> Result<Vec<u8>, String> {
    let metrics: Vec<&str> = keys.metrics.names().collect();
    let best = metrics
        .iter()
        .filter(|name| rows.iter().any(|row| row.measured.times(name) > 0));
    let best: Vec<String> = best.map(|name| format!("{BEST}{name}")).collect();
    // A metric of the name of a config's key would be that key.
    let metrics = metrics.into_iter().filter(|name| !changed.contains(name));
    let heads = OWN.into_iter().chain(changed.iter().copied()).chain(metrics);
    let heads: Vec<&str> = heads.chain(best.iter().map(String::as_str)).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&heads).map_err(|error| error.to_string())?;
    for row in rows {
        let field = |key: &&str| keys.field(row, key).map_or(String::new(), |field| field.text());
        writer
            .write_record(heads.iter().map(field))
            .map_err(|error| error.to_string())?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

/// A list of the runs, each with its complete config and all metrics; what it lacks is null.
pub fn json(rows: &[&Row], keys: &Keys, changed: &[&str]) -> Value {
    let of = |row: &&Row| {
        let own = OWN.map(|key| (key.to_string(), row.own(key).map_or(Value::Null, |field| field.json())));
        let mut object: Map<String, Value> = own.into_iter().collect();
        let config = |key: &str| row.config.get(key).map_or(Value::Null, Field::json);
        let own: Map<String, Value> = row.config.keys().map(|key| (key.clone(), config(key))).collect();
        object.insert("config".into(), json!(own));
        let own: Map<String, Value> = changed.iter().map(|key| (key.to_string(), config(key))).collect();
        object.insert("changed".into(), json!(own));
        // What a run lacks is null.
        let named = |value: &dyn Fn(&str) -> Option<f64>| -> Map<String, Value> {
            let number = |name| value(name).map_or(Value::Null, |number| Field::Number(number).json());
            keys.metrics
                .names()
                .map(|name| (name.to_string(), number(name)))
                .collect()
        };
        object.insert("metrics".into(), json!(named(&|name| row.measured.last(name))));
        let best = |name: &str| row.measured.best(name, keys.metrics.like(name)?);
        object.insert("best".into(), json!(named(&best)));
        Value::Object(object)
    };
    Value::Array(rows.iter().map(of).collect())
}
