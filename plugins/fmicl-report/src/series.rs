//! The numbers of a file of JSON lines, a column for each name.

use fmicl_core::{Error, Result, read_file};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The most bytes of a file.
const LONGEST: u64 = 1 << 30;

/// Numbers at epochs or steps.
#[derive(Debug, Default, Clone)]
pub struct Series {
    /// The epochs or steps.
    pub at: Vec<u64>,
    /// By name, `GROUP/NAME` in a group, a value for each of `at`; NaN where a line has none.
    pub values: BTreeMap<String, Vec<f64>>,
}

impl Series {
    /// Reads a file whose lines have a whole number `key`, such as `epoch`. `key`, `epoch`, `step` and the names in `without` are no
    /// columns.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that is not a run's; the last line may be cut off.
    pub fn read(path: &Path, key: &str, without: &[&str]) -> Result<Self> {
        let bytes = read_file(path, LONGEST, "it has a line for each moment")?;
        let text = String::from_utf8(bytes).map_err(|_| Error::data(path, "is not text"))?;
        Series::parse(&text, key, without).map_err(|why| Error::data(path, why))
    }

    fn parse(text: &str, key: &str, without: &[&str]) -> Result<Self, String> {
        let mut series = Series::default();
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let wrong = |why: &dyn std::fmt::Display| format!("line {} is not a run's: {why}", number + 1);
            let value: Value = match serde_json::from_str(line) {
                // A run that is killed leaves half a line.
                Err(_) if !line.ends_with('\n') => break,
                value => value.map_err(|error| wrong(&error))?,
            };
            let at = value[key]
                .as_u64()
                .ok_or_else(|| wrong(&format!("it has no `{key}`")))?;
            series.at.push(at);
            series.add("", &value, without);
            let count = series.at.len();
            let columns = series.values.values_mut();
            columns.for_each(|column| column.resize(count, f64::NAN));
        }
        Ok(series)
    }

    /// Adds the numbers of the last line.
    fn add(&mut self, name: &str, value: &Value, without: &[&str]) {
        match value {
            Value::Object(group) => group.iter().for_each(|(key, value)| match name {
                "" if without.contains(&&**key) || key == "epoch" || key == "step" => {}
                "" => self.add(key, value, without),
                _ => self.add(&format!("{name}/{key}"), value, without),
            }),
            Value::Number(number) => {
                let column = self.values.entry(name.into()).or_default();
                column.resize(self.at.len() - 1, f64::NAN);
                column.push(number.as_f64().unwrap_or(f64::NAN));
            }
            _ => {}
        }
    }
}
