//! The sweep file.
//!
//! ```toml
//! experiment = "../cifar10.toml"   # relative to this file
//! seeds = [0, 1, 2]
//!
//! [[axis]]
//! name = "divergence"
//! key = "objective.divergence"
//! values = ["kl", "js", { name = "tsallis", alpha = 2.0 }]
//!
//! [[axis]]                         # several keys at once
//! name = "size"
//! values = [{ label = "small", set = ["backbone.width=16", "train.epochs=20"] }]
//!
//! [report]
//! columns = "size"
//! metrics = ["knn", "linear"]
//! ```

use super::metric::Metric;
use crate::config;
use fmicl_core::{Error, Result, registry, require};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A sweep file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepFile {
    /// The experiment that every run begins with, relative to the sweep file.
    pub experiment: PathBuf,
    /// Changes to it, each as `--set` takes them.
    #[serde(default)]
    pub set: Vec<String>,
    /// Every point of the grid is run with each of them.
    #[serde(default = "zero")]
    pub seeds: Vec<u64>,
    /// The axes of the grid, the slowest first.
    #[serde(default)]
    pub axis: Vec<Axis>,
    /// Smaller versions of the sweep, by name.
    #[serde(default)]
    pub scale: BTreeMap<String, Scale>,
    /// A file of more scales, relative to the sweep file.
    #[serde(default)]
    pub scales: Option<PathBuf>,
    /// What is reported.
    #[serde(default)]
    pub report: Reported,
}

fn zero() -> Vec<u64> {
    vec![0]
}

/// An axis of the grid.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// What the table calls it.
    pub name: String,
    /// The key that the values are for. Without one, a value is `{ label = "...", set = ["key=value", ...] }`.
    #[serde(default)]
    pub key: Option<String>,
    /// The points on it.
    pub values: Vec<toml::Value>,
    /// Other values at a scale.
    #[serde(default)]
    pub scale: BTreeMap<String, Vec<toml::Value>>,
}

/// A smaller version of a sweep: its changes lie over the experiment's values and under those of the axes.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Changes to the experiment, each as `--set` takes them.
    #[serde(default)]
    pub set: Vec<String>,
    /// Other seeds.
    #[serde(default)]
    pub seeds: Option<Vec<u64>>,
}

/// What the table and the plot show.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reported {
    /// The axis whose values stand side by side; the others make the rows.
    pub columns: Option<String>,
    /// The numbers of a run, the first of which is plotted.
    pub metrics: Vec<Metric>,
    /// What kind of plot.
    pub plot: PlotKind,
    /// For `lines`: the axis along which they run; its values are numbers.
    pub x: Option<String>,
}

impl Default for Reported {
    fn default() -> Self {
        Reported {
            columns: None,
            metrics: vec![Metric::Knn, Metric::Linear],
            plot: PlotKind::Points,
            x: None,
        }
    }
}

/// A kind of plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlotKind {
    /// The first metric of every row: mean, spread and each seed.
    Points,
    /// The first metric along the axis `x`, a line for each point of the other axes.
    Lines,
    /// The second metric against the first, as Wang and Isola plot uniformity against alignment.
    Scatter,
}

/// One value on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// What the table calls it.
    pub label: String,
    /// The changes that it stands for, as `--set` takes them.
    pub sets: Vec<String>,
}

impl SweepFile {
    /// Reads and checks a sweep file and the file of scales that it names.
    ///
    /// # Errors
    /// A config error with the file and the line.
    pub fn read(path: &Path) -> Result<Self> {
        let mut file: SweepFile = config::read_file_as(path)?;
        let here = path.with_file_name("");
        file.experiment = here.join(&file.experiment);
        if let Some(scales) = &file.scales {
            let shared: BTreeMap<String, Scale> = config::read_file_as(&here.join(scales))?;
            for (name, scale) in shared {
                file.scale.entry(name).or_insert(scale);
            }
        }
        match file.validate() {
            Err(Error::Config { key, message }) => Err(Error::config(format!("{}: {key}: {message}", path.display()))),
            checked => checked.map(|()| file),
        }
    }

    fn validate(&self) -> Result<()> {
        require(!self.seeds.is_empty(), "seeds", || "there is none".into())?;
        let mut names = Vec::new();
        for axis in &self.axis {
            let name = &*axis.name;
            require(!names.contains(&name), "axis", || format!("two are named `{name}`"))?;
            names.push(name);
            for values in std::iter::once(&axis.values).chain(axis.scale.values()) {
                require(!values.is_empty(), "axis", || format!("`{name}` has no values"))?;
            }
        }
        let report = &self.report;
        for (key, named) in [("report.columns", &report.columns), ("report.x", &report.x)] {
            if let Some(named) = named {
                require(names.contains(&&**named), key, || {
                    let hint = registry::did_you_mean(named, &names);
                    format!("no axis named `{named}`{hint}; axes: {}", names.join(", "))
                })?;
            }
        }
        let needed = if report.plot == PlotKind::Scatter { 2 } else { 1 };
        require(report.metrics.len() >= needed, "report.metrics", || {
            format!("{} are too few; this plot shows {needed}", report.metrics.len())
        })?;
        require(report.plot != PlotKind::Lines || report.x.is_some(), "report.x", || {
            "is missing: the axis along which the lines run".into()
        })
    }

    /// The scale of that name; without a name, the sweep as it is.
    pub fn scale(&self, name: Option<&str>) -> Result<Scale> {
        let Some(name) = name else { return Ok(Scale::default()) };
        self.scale.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.scale.keys().map(String::as_str).collect();
            let hint = registry::did_you_mean(name, &known);
            Error::config(format!(
                "--scale {name}: no such scale{hint}; scales: {}",
                known.join(", ")
            ))
        })
    }
}

impl Axis {
    /// The points on the axis at a scale.
    ///
    /// # Errors
    /// A value that has not the form that the axis asks for, or two with one label.
    pub fn points(&self, scale: Option<&str>) -> Result<Vec<Point>> {
        let values = scale.and_then(|scale| self.scale.get(scale)).unwrap_or(&self.values);
        let mut points = Vec::new();
        for value in values {
            let point = match &self.key {
                Some(key) => Point {
                    label: label(value),
                    sets: vec![format!("{key}={value}")],
                },
                None => labelled(value)
                    .ok_or_else(|| Error::config(format!(
                        "axis `{}`: {value} is not {{ label = \"...\", set = [\"key=value\"] }}; or give the axis a `key`",
                        self.name
                    )))?,
            };
            if points.iter().any(|other: &Point| other.label == point.label) {
                return Err(Error::config(format!(
                    "axis `{}`: two values are called `{}`",
                    self.name, point.label
                )));
            }
            points.push(point);
        }
        Ok(points)
    }
}

/// `kl`, or `tsallis alpha=2.0` for a part with options.
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

fn labelled(value: &toml::Value) -> Option<Point> {
    let table = value.as_table()?;
    let label = table.get("label")?.as_str()?.to_string();
    let sets = table
        .get("set")?
        .as_array()?
        .iter()
        .map(|set| set.as_str().map(str::to_string));
    let sets = sets.collect::<Option<Vec<_>>>()?;
    (table.len() == 2).then_some(Point { label, sets })
}
