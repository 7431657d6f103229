//! The points on an axis.

use super::file::Axis;
use fmicl_core::{Error, Result, registry};
use fmicl_runner::config::{Change, Node};
use serde::Deserialize;

/// One value on an axis.
#[derive(Debug, Clone)]
pub struct Point {
    /// What the table calls it.
    pub label: String,
    /// The changes that it stands for.
    pub sets: Vec<Change>,
    /// What it is a variant of, for `[report.best]`.
    pub of: Option<String>,
}

/// A value of an axis that sets several keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labelled {
    label: String,
    set: Vec<Change>,
    #[serde(default)]
    of: Option<String>,
}

impl Axis {
    /// The points on the axis at a scale.
    ///
    /// # Errors
    /// A value that has not the form that the axis asks for, or two with one label, with its line.
    pub fn points(&self, scale: Option<&str>) -> Result<Vec<Point>> {
        let scaled = scale.and_then(|scale| Some((scale, self.scale.get(scale)?)));
        let (place, values) = match scaled {
            Some((scale, values)) => (format!("scale.{scale}"), values),
            None => ("values".to_string(), &self.values),
        };
        let mut points: Vec<Point> = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let source = self
                .source
                .as_ref()
                .map(|axis| axis.nearest(&format!("{place}[{index}]")));
            let wrong = |error: Error| match source {
                Some(source) => source.locate(error),
                None => error,
            };
            let point = match &self.key {
                Some(key) => Point {
                    label: label(value),
                    sets: vec![match source {
                        Some(source) => Change::of_file(key, value.clone(), &source.origin)?,
                        None => Change::set(key, value.clone()),
                    }],
                    of: None,
                },
                None => self.labelled(value, source).map_err(wrong)?,
            };
            if points.iter().any(|other| other.label == point.label) {
                let message = format!("axis `{}`: two values are called `{}`", self.name, point.label);
                return Err(wrong(Error::config(message)));
            }
            points.push(point);
        }
        Ok(points)
    }

    fn labelled(&self, value: &toml::Value, source: Option<&Node>) -> Result<Point> {
        let toml::Value::Table(table) = value else {
            return Err(Error::config(format!(
                "axis `{}`: {value} is not {{ label = \"...\", set = [\"key=value\"] }}; or give the axis a `key`",
                self.name
            )));
        };
        let Labelled { label, set: sets, of } = registry::read_options(table.clone())?;
        let twice = sets
            .iter()
            .enumerate()
            .find(|(at, change)| sets[..*at].iter().any(|other| other.key() == change.key()));
        if let Some((_, change)) = twice {
            let message = format!(
                "axis `{}`: the value `{label}` sets `{}` twice",
                self.name,
                change.key()
            );
            return Err(Error::config(message));
        }
        let place = |(index, change): (usize, Change)| match source {
            Some(source) => change.written_at(source.nearest(&format!("set[{index}]")).origin.clone()),
            None => change,
        };
        let sets = sets.into_iter().enumerate().map(place).collect();
        Ok(Point { label, sets, of })
    }
}

/// `kl`, or `tsallis alpha=3.0` for a part with options.
fn label(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Table(table) => {
            let name = table.get("name").and_then(toml::Value::as_str);
            let options = table.iter().filter(|(key, _)| *key != "name");
            let options = options.map(|(key, value)| format!("{key}={}", label(value)));
            name.map(str::to_string)
                .into_iter()
                .chain(options)
                .collect::<Vec<_>>()
                .join(" ")
        }
        other => other.to_string(),
    }
}
