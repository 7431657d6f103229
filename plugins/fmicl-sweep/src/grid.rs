//! From a sweep file to the runs of its grid.

use super::apart;
use super::axis::Point;
use super::cell::Cell;
use super::file::{PlotKind, SweepFile};
use super::lists::among;
use fmicl_core::{Error, Result, require};
use fmicl_runner::config::{Base, Change};
use fmicl_runner::run::training::TRAINING;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Every run, in the order of the axes, with its seeds together; of an axis that `only` names, `AXIS=LABEL`, the values
/// that it names.
///
/// # Errors
/// Everything that is wrong with any run's config, each problem once.
pub fn cells(
    file: &SweepFile,
    scale: Option<&str>,
    more: &[String],
    only: &[String],
    out: &Path,
) -> Result<Vec<Cell>, Vec<Error>> {
    let one = |error: Error| vec![error];
    let chosen = file.scale(scale).map_err(one)?;
    let seeds = chosen.seeds.as_ref().or(file.seeds.as_ref());
    let seeds: Vec<Option<u64>> = seeds.map_or(vec![None], |seeds| seeds.iter().copied().map(Some).collect());
    let more = Change::parse_all(more).map_err(one)?;
    let grid = grid(file, scale, (only, &more), seeds.len()).map_err(one)?;
    let unreadable = |error: Error| one(file.locate(Error::config(error.to_string()).at("experiment")));
    let base = Base::read(&file.experiment).map_err(unreadable)?;

    let mut cells: Vec<Cell> = Vec::new();
    let mut problems = Problems::default();
    for points in &grid {
        let on_axes = points.iter().flat_map(|point| &point.sets);
        let common = file.set.iter().chain(&chosen.set);
        let sets: Vec<Change> = common.chain(on_axes).chain(&more).cloned().collect();
        let labels: Vec<String> = points.iter().map(|point| point.label.clone()).collect();
        if let Some(change) = sets.iter().find(|change| change.key() == "seed") {
            let message = "the seeds of a sweep are its `seeds`, or those of a scale";
            problems.add(vec![change.wrong(message)]);
        }
        for &seed in &seeds {
            match Cell::new(&base, labels.clone(), seed, sets.clone(), out) {
                Ok(cell) => cells.push(cell),
                Err(errors) => problems.add(errors),
            }
        }
    }
    problems.none()?;
    require_distinct(&cells).map_err(|error| one(file.locate(error)))?;
    require_evaluated(file, &cells).map_err(|error| one(file.locate(error)))?;
    Ok(cells)
}

/// Checks that the evaluations that metrics are named after are those of some run, before runs are looked at more closely.
fn require_evaluated(file: &SweepFile, cells: &[Cell]) -> Result<()> {
    let mut known = vec![TRAINING.to_string()];
    for cell in cells {
        let config: toml::Table = cell.config.parse().unwrap_or_default();
        let evaluations = config.get("evaluations").and_then(toml::Value::as_table);
        let names = evaluations.into_iter().flatten().filter(|(_, value)| value.is_table());
        let names = names.map(|(name, _)| name.clone()).filter(|name| !known.contains(name));
        known.extend(names.collect::<Vec<_>>());
    }
    for (key, metric) in file.metrics() {
        let Some((evaluation, _)) = metric.split_once('.') else {
            continue;
        };
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        require(known.contains(&evaluation), &key, || {
            format!(
                "`{metric}`: no run has an evaluation `{evaluation}`{}",
                among(evaluation, "evaluations", &known)
            )
        })?;
    }
    Ok(())
}

/// The most runs of a sweep; a few axes in a small file can span any number.
const MOST: usize = 10_000;

/// Every combination of the axes' points, the last axis fastest; each is run with so many `seeds`, after `more` changes.
fn grid(
    file: &SweepFile,
    scale: Option<&str>,
    (only, more): (&[String], &[Change]),
    seeds: usize,
) -> Result<Vec<Vec<Point>>> {
    let mut axes = Vec::new();
    for axis in &file.axis {
        axes.push((&*axis.name, axis.points(scale)?));
    }
    if let (PlotKind::Lines, Some(x)) = (file.report.plot, &file.report.x) {
        let points = axes.iter().filter(|axis| axis.0 == x).flat_map(|axis| &axis.1);
        let mut labels = points.map(|point| &point.label);
        if let Some(label) = labels.find(|label| label.parse::<f64>().is_err()) {
            let message = format!("lines run along numbers, and the axis `{x}` has `{label}`");
            return Err(file.locate(Error::config(message).at("report.x")));
        }
    }
    apart::require_apart(&axes)?;
    keep(&mut axes, only)?;
    apart::require_untouched(&axes, more)?;
    let runs = axes
        .iter()
        .fold(seeds, |runs, (_, points)| runs.saturating_mul(points.len()));
    let key = if file.axis.is_empty() { "seeds" } else { "axis" };
    require(runs <= MOST, key, || {
        format!("the axes and seeds make {runs} runs, and a sweep has at most {MOST}; run a part with --only")
    })
    .map_err(|error| file.locate(error))?;
    let mut grid: Vec<Vec<Point>> = vec![vec![]];
    for (_, points) in &axes {
        let longer = |cell: Vec<Point>| -> Vec<Vec<Point>> {
            let with = |point: &Point| [&cell[..], std::slice::from_ref(point)].concat();
            points.iter().map(with).collect()
        };
        grid = grid.into_iter().flat_map(longer).collect();
    }
    Ok(grid)
}

/// Drops the points that `only` does not name, on the axes that it names.
fn keep(axes: &mut [(&str, Vec<Point>)], only: &[String]) -> Result<()> {
    let wrong = |text: &str, why: String| Error::config(format!("--only {text}: {why}"));
    let mut kept: Vec<(&str, &str)> = Vec::new();
    for text in only {
        let Some((name, label)) = text.split_once('=') else {
            return Err(wrong(text, "expected AXIS=VALUE".into()));
        };
        let names: Vec<&str> = axes.iter().map(|axis| axis.0).collect();
        let Some((_, points)) = axes.iter().find(|axis| axis.0 == name) else {
            return Err(wrong(text, format!("no such axis{}", among(name, "axes", &names))));
        };
        let labels: Vec<&str> = points.iter().map(|point| &*point.label).collect();
        if !labels.contains(&label) {
            return Err(wrong(text, format!("no such value{}", among(label, "values", &labels))));
        }
        kept.push((name, label));
    }
    for (name, points) in axes {
        let labels: Vec<&str> = kept.iter().filter(|kept| kept.0 == *name).map(|kept| kept.1).collect();
        points.retain(|point| labels.is_empty() || labels.contains(&&*point.label));
    }
    Ok(())
}

/// Checks that no two runs have the same config, or the same directory.
fn require_distinct(cells: &[Cell]) -> Result<()> {
    let (mut configs, mut dirs) = (HashMap::new(), HashMap::new());
    for cell in cells {
        let title = cell.title();
        if let Some(other) = configs.insert(&cell.config, cell) {
            return Err(Error::config(format!(
                "the runs `{}` and `{title}` are the same: a later setting overrides what distinguishes them",
                other.title()
            )));
        }
        if let Some(other) = dirs.insert(&cell.dir, cell) {
            return Err(Error::config(format!(
                "the runs `{}` and `{title}` would share {}; give one of their values another label",
                other.title(),
                cell.dir.display()
            )));
        }
    }
    Ok(())
}

/// Errors, each once: what is wrong with one value is wrong with every run that has it.
#[derive(Default)]
pub struct Problems {
    found: Vec<Error>,
    known: HashSet<String>,
}

impl Problems {
    /// Adds those that are new.
    pub fn add(&mut self, errors: Vec<Error>) {
        let is_new = |error: &Error| self.known.insert(error.to_string());
        self.found.extend(errors.into_iter().filter(is_new));
    }

    /// Checks that there are none.
    ///
    /// # Errors
    /// All of them.
    pub fn none(self) -> Result<(), Vec<Error>> {
        if self.found.is_empty() { Ok(()) } else { Err(self.found) }
    }
}
