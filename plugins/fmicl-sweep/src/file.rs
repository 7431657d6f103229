//! The sweep file.
//!
//! ```toml
//! experiment = "../cifar10.toml"   # relative to this file
//! seeds = [0, 1, 2]
//!
//! [[axis]]
//! name = "divergence"
//! key = "objective.divergence"
//! values = ["kl", "js", { name = "tsallis", alpha = 3.0 }]
//!
//! [[axis]]                         # several keys at once
//! name = "size"
//! values = [{ label = "small", set = ["backbone.width=16", "train.epochs=20"] }]
//!
//! [report]
//! columns = "size"
//! metrics = ["knn", "linear"]
//! ```
//!
//! `[reference]` is in `reference.rs`.

use super::best::{Best, counterparts};
use super::lists::{among, unique};
use super::reference::Reference;
use fmicl_core::registry::{self, Documented as _};
use fmicl_core::{Documented, Error, Result, require};
use fmicl_runner::config::{self, Change, Node};
use fmicl_runner::document::Document;
use fmicl_runner::home;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// A sweep file.
#[derive(Debug, Documented, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepFile {
    /// The experiment that every run begins with, relative to the sweep file.
    pub experiment: PathBuf,
    /// Changes to it, each as `--set` takes them.
    #[serde(default)]
    pub set: Vec<Change>,
    /// Every point of the grid is run with each of them; by default with the experiment's own.
    #[serde(default)]
    pub seeds: Option<Vec<u64>>,
    /// The axes of the grid, the slowest first.
    #[serde(default)]
    pub axis: Vec<Axis>,
    /// Smaller versions of the sweep, by name.
    #[serde(default)]
    pub scale: BTreeMap<String, Scale>,
    /// A file of scales that sweeps share, relative to the sweep file; a scale of the same name here goes on where that
    /// one ends.
    #[serde(default)]
    pub scales: Option<PathBuf>,
    /// What is reported.
    #[serde(default)]
    pub report: Reported,
    /// Numbers that a publication printed.
    #[serde(default)]
    pub reference: Option<Reference>,
    /// Where each value was written.
    #[serde(skip)]
    source: Option<Node>,
}

fmicl_core::inventory::submit! {
    Document {
        name: "sweep",
        summary: "A sweep: a grid of experiments that begin with the same one.",
        shape: registry::shape::<SweepFile>,
        docs: |at| match at {
            "" => SweepFile::OPTIONS,
            "axis.0" => Axis::OPTIONS,
            "scale.0" => Scale::OPTIONS,
            "report" => Reported::OPTIONS,
            _ => &[],
        },
    }
}

/// An axis of the grid.
#[derive(Debug, Documented, Deserialize)]
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
    /// Where it was written.
    #[serde(skip)]
    pub source: Option<Node>,
}

/// A smaller version of a sweep: its changes lie over the experiment's values and under those of the axes.
#[derive(Debug, Default, Clone, Documented, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Changes to the experiment, each as `--set` takes them.
    #[serde(default)]
    pub set: Vec<Change>,
    /// Other seeds.
    #[serde(default)]
    pub seeds: Option<Vec<u64>>,
}

/// What the table and the plot show.
#[derive(Debug, Documented, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reported {
    /// The axis whose values stand side by side; the others make the rows.
    pub columns: Option<String>,
    /// The metrics of a run by their names, the first of which is plotted: `EVALUATION.METRIC`; `EVALUATION`, for its main one;
    /// or `METRIC`, where no other has one of that name. Numbers of training are those of `train`.
    pub metrics: Vec<String>,
    /// What kind of plot.
    pub plot: PlotKind,
    /// For `lines`: the axis along which they run; its values are numbers.
    pub x: Option<String>,
    /// A second table: each row with the value of an axis that is best for it.
    pub best: Option<Best>,
}

impl Default for Reported {
    fn default() -> Self {
        Reported {
            columns: None,
            metrics: vec!["knn".into(), "linear".into()],
            plot: PlotKind::Points,
            x: None,
            best: None,
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

impl SweepFile {
    /// Reads and checks a sweep file and the file of scales that it names.
    ///
    /// # Errors
    /// A config error with the file and the line.
    pub fn read(path: &Path) -> Result<Self> {
        let (mut file, source): (SweepFile, _) =
            config::read_file_as(path).map_err(|error| match config::load(path, &[]) {
                Ok(_) => Error::config(format!(
                    "{}: is an experiment, not a sweep; train it with `fmicl train`",
                    path.display()
                )),
                Err(_) => error,
            })?;
        let here = path.with_file_name("");
        let named = |path: &Path, key: &str| {
            let path = path.to_string_lossy();
            let path = home::expanded(&path);
            let path = path.map_err(|why| source.nearest(key).origin.error(key, &why))?;
            Ok::<_, Error>(here.join(&*path))
        };
        file.experiment = named(&file.experiment, "experiment")?;
        place(&mut file.set, &source, "set");
        for (index, axis) in file.axis.iter_mut().enumerate() {
            axis.source = Some(source.nearest(&format!("axis[{index}]")).clone());
        }
        for (name, scale) in &mut file.scale {
            place(&mut scale.set, &source, &format!("scale.{name}.set"));
        }
        if let Some(scales) = &file.scales {
            let scales: (BTreeMap<String, Scale>, _) = config::read_file_as(&named(scales, "scales")?)
                .map_err(|error| source.nearest("scales").origin.error("scales", &error.to_string()))?;
            let (shared, written) = scales;
            for (name, mut shared) in shared {
                place(&mut shared.set, &written, &format!("{name}.set"));
                if let Some(seeds) = &shared.seeds {
                    validate_seeds(seeds, &format!("{name}.seeds")).map_err(|error| written.locate(error))?;
                }
                let own = file.scale.entry(name).or_default();
                own.seeds = own.seeds.take().or(shared.seeds);
                own.set.splice(0..0, shared.set);
            }
        }
        file.source = Some(source);
        file.validate().map_err(|error| file.locate(error))?;
        if let Some(mut reference) = file.reference.take() {
            reference
                .check(&file.labels()?, &file.report.metrics)
                .map_err(|error| file.locate(error))?;
            file.reference = Some(reference);
        }
        file.validate_best().map_err(|error| file.locate(error))?;
        Ok(file)
    }

    /// The axes' names with all their values, at full size and at every scale.
    fn labels(&self) -> Result<Vec<(&str, Vec<String>)>> {
        let of_axis = |axis: &'_ Axis| -> Result<Vec<String>> {
            let mut labels = Vec::new();
            for scale in std::iter::once(None).chain(axis.scale.keys().map(|scale| Some(&**scale))) {
                labels.extend(axis.points(scale)?.into_iter().map(|point| point.label));
            }
            Ok(unique(labels.into_iter()))
        };
        self.axis.iter().map(|axis| Ok((&*axis.name, of_axis(axis)?))).collect()
    }

    /// The metrics that the file asks for, each with its key; nobody asks for the default ones.
    pub fn metrics(&self) -> impl Iterator<Item = (String, &str)> {
        let asked = self.report.metrics != Reported::default().metrics;
        let metrics = self.report.metrics.iter().enumerate().filter(move |_| asked);
        let metrics = metrics.map(|(index, name)| (format!("report.metrics[{index}]"), &**name));
        let best = self
            .report
            .best
            .iter()
            .map(|best| ("report.best.by".to_string(), &*best.by));
        metrics.chain(best)
    }

    /// The variants of each value of an axis: its label, and what it is of.
    pub fn variants(&self, axis: &str) -> Result<Vec<(String, Option<String>)>> {
        let mut variants = Vec::new();
        for axis in self.axis.iter().filter(|it| it.name == axis) {
            for scale in std::iter::once(None).chain(axis.scale.keys().map(|scale| Some(&**scale))) {
                variants.extend(axis.points(scale)?.into_iter().map(|point| (point.label, point.of)));
            }
        }
        Ok(unique(variants.into_iter()))
    }

    fn validate_best(&self) -> Result<()> {
        let Some(Best { axis, against, .. }) = &self.report.best else {
            return Ok(());
        };
        let axes = self.labels()?;
        let names: Vec<&str> = axes.iter().map(|axis| axis.0).collect();
        require(names.contains(&&**axis), "report.best.axis", || {
            format!("no axis named `{axis}`{}", among(axis, "axes", &names))
        })?;
        let variants = self.variants(axis)?;
        let without = variants.iter().find(|(_, of)| of.is_none());
        let some_have = variants.iter().any(|(_, of)| of.is_some());
        require(!some_have || without.is_none(), "report.best.axis", || {
            let label = without.map_or("", |(label, _)| label);
            format!("the value `{label}` of `{axis}` has no `of`, and others have: give it one, or take it from all")
        })?;
        let Some(against) = against else { return Ok(()) };
        let of: Vec<String> = variants.into_iter().filter_map(|(_, of)| of).collect();
        let known = counterparts(&axes, axis, &of);
        require(known.contains(&&**against), "report.best.against", || {
            format!("no row named `{against}`{}", among(against, "rows", &known))
        })
    }

    /// A config error with the file and line where its key was written.
    pub fn locate(&self, error: Error) -> Error {
        match &self.source {
            Some(source) => source.locate(error),
            None => error,
        }
    }

    fn validate(&self) -> Result<()> {
        if let Some(seeds) = &self.seeds {
            validate_seeds(seeds, "seeds")?;
        }
        for (name, scale) in &self.scale {
            if let Some(seeds) = &scale.seeds {
                validate_seeds(seeds, &format!("scale.{name}.seeds"))?;
            }
        }
        let mut names = Vec::new();
        for (index, axis) in self.axis.iter().enumerate() {
            let (name, key) = (&*axis.name, format!("axis[{index}]"));
            require(!names.contains(&name), &key, || format!("two are named `{name}`"))?;
            names.push(name);
            let scales: Vec<&str> = self.scale.keys().map(String::as_str).collect();
            if let Some(unknown) = axis.scale.keys().find(|scale| !self.scale.contains_key(*scale)) {
                let message = format!("no scale named `{unknown}`{}", among(unknown, "scales", &scales));
                return Err(Error::config(message).at(&format!("{key}.scale.{unknown}")));
            }
            for values in std::iter::once(&axis.values).chain(axis.scale.values()) {
                require(!values.is_empty(), &key, || format!("`{name}` has no values"))?;
            }
        }
        let report = &self.report;
        for (key, named) in [("report.columns", &report.columns), ("report.x", &report.x)] {
            if let Some(named) = named {
                require(names.contains(&&**named), key, || {
                    format!("no axis named `{named}`{}", among(named, "axes", &names))
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
            Error::config(format!(
                "--scale {name}: no such scale{}",
                among(name, "scales", &known)
            ))
        })
    }
}

/// Notes where changes were written.
fn place(changes: &mut [Change], source: &Node, key: &str) {
    for (index, change) in changes.iter_mut().enumerate() {
        let written = source.nearest(&format!("{key}[{index}]"));
        *change = change.clone().written_at(written.origin.clone());
    }
}

fn validate_seeds(seeds: &[u64], key: &str) -> Result<()> {
    require(!seeds.is_empty(), key, || "there is none".into())?;
    let mut seen = HashSet::new();
    match seeds.iter().find(|seed| !seen.insert(**seed)) {
        Some(twice) => Err(Error::config(format!("{twice} is there twice")).at(key)),
        None => Ok(()),
    }
}
