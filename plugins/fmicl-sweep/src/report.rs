//! The table of a sweep, in Markdown, and the files that a sweep writes.

use super::best;
use super::cell::Cell;
use super::file::{Reported, SweepFile};
use super::lines::{NOTHING, line, padded, shown};
use super::lists::unique;
use super::outcome::{Finished, Outcome};
use super::reference::Reference;
use super::summary::{Group, Summary};
use super::{caption, csv, plot};
use fmicl_core::{Error, Metric, Result, disk};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Always answering the class that is the largest of training.
const LARGEST: &str = "largest class";
/// Numbers, most of them in %, that differ by less are the same, measured with another number of threads.
const SAME: f64 = 0.1;

/// What a sweep reports.
pub struct Report<'a> {
    title: String,
    axes: Vec<&'a str>,
    /// Which axis stands side by side.
    columns: Option<usize>,
    reported: &'a Reported,
    reference: Option<&'a Reference>,
    scale: Option<String>,
    cells: &'a [Cell],
    /// What the values of the axis that `[report.best]` chooses from are of.
    variants: Vec<(String, Option<String>)>,
}

impl<'a> Report<'a> {
    /// The report of a sweep's cells.
    ///
    /// # Errors
    /// None for a file that was read by [`SweepFile::read`].
    pub fn new(path: &Path, file: &'a SweepFile, scale: Option<&str>, cells: &'a [Cell]) -> Result<Self> {
        let axes: Vec<&str> = file.axis.iter().map(|axis| &*axis.name).collect();
        let columns = file.report.columns.as_deref();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let at_scale = scale.map(|scale| format!(", scale {scale}")).unwrap_or_default();
        Ok(Report {
            title: format!("{name}{at_scale}"),
            columns: columns.and_then(|columns| axes.iter().position(|axis| *axis == columns)),
            axes,
            reported: &file.report,
            reference: file.reference.as_ref(),
            scale: scale.map(str::to_string),
            cells,
            variants: match &file.report.best {
                Some(best) => file.variants(&best.axis)?,
                None => Vec::new(),
            },
        })
    }

    /// Writes `table.md`, `results.csv` and `plot.svg`, each whole or not at all.
    ///
    /// # Errors
    /// The disk's, or a result that cannot be read.
    pub fn write(&self, out: &Path) -> Result<()> {
        let put = |name: &str, text: String| disk::replace(&out.join(name), text.as_bytes());
        put("table.md", self.markdown()?)?;
        put("results.csv", csv::long(&self.axes, self.cells, self.reference)?)?;
        match plot::svg(&self.title, self.reported, &self.axes_of_groups(), &self.groups()?) {
            Some(svg) => put("plot.svg", svg),
            // One that an earlier report left would show something else.
            None => match fs::remove_file(out.join("plot.svg")) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(out.join("plot.svg"), error)),
                _ => Ok(()),
            },
        }
    }

    /// The axes in the order of a group's labels.
    fn axes_of_groups(&self) -> Vec<&'a str> {
        let rows = (0..self.axes.len()).filter(|axis| Some(*axis) != self.columns);
        rows.chain(self.columns).map(|axis| self.axes[axis]).collect()
    }

    /// The cells by their place in the table.
    fn groups(&self) -> Result<Vec<Group<'a>>> {
        let mut groups: Vec<Group> = Vec::new();
        for cell in self.cells {
            let labels = cell.labels.iter().enumerate();
            let row: Vec<&str> = labels
                .filter(|(axis, _)| Some(*axis) != self.columns)
                .map(|(_, l)| &**l)
                .collect();
            let column = self.columns.map_or("", |axis| &*cell.labels[axis]);
            let outcome = cell.outcome()?;
            match groups
                .iter_mut()
                .find(|group| group.row == row && group.column == column)
            {
                Some(group) => group.runs.push(outcome),
                None => groups.push(Group {
                    row,
                    column,
                    runs: vec![outcome],
                }),
            }
        }
        Ok(groups)
    }

    /// The table with its caption.
    ///
    /// # Errors
    /// A result that cannot be read.
    pub fn markdown(&self) -> Result<String> {
        let groups = self.groups()?;
        let columns = unique(groups.iter().map(|group| group.column));
        let metrics = &self.reported.metrics;
        let places: Vec<_> = columns
            .iter()
            .flat_map(|column| metrics.iter().map(move |metric| (*column, &**metric)))
            .collect();
        let row_axes: Vec<&str> = (0..self.axes.len())
            .filter(|axis| Some(*axis) != self.columns)
            .map(|axis| self.axes[axis])
            .collect();
        let width = row_axes.len().max(1);
        let table = Table {
            report: self,
            groups,
            places,
            width,
        };
        let mut text = format!("# {}\n\n", self.title);
        table.write_heads(&mut text, &row_axes);
        let left_out = table.write_references(&mut text);
        table.write_rows(&mut text);
        if let Some(reference) = self.reference {
            let cells: Vec<&[String]> = self.cells.iter().map(|cell| &*cell.labels).collect();
            let _ = write!(text, "\n{}", reference.caption(self.scale.as_deref(), &cells));
        }
        let _ = write!(text, "\n{}", caption::caption(self.cells, metrics, &left_out)?);
        if let Some(best) = &self.reported.best {
            let _ = write!(text, "\n{}", best.markdown(&self.axes, metrics, self.runs()?));
        }
        Ok(text)
    }

    fn runs(&self) -> Result<Vec<best::Run<'_>>> {
        let chosen = self.reported.best.as_ref();
        let chosen = chosen.and_then(|best| self.axes.iter().position(|axis| *axis == best.axis));
        let of = |cell: &Cell| {
            let own = chosen.map(|axis| &cell.labels[axis]);
            let of = self.variants.iter().find(|(label, _)| Some(label) == own);
            of.and_then(|(_, of)| of.as_deref())
        };
        let run = |cell: &'a Cell| {
            Ok(best::Run {
                labels: &cell.labels,
                of: of(cell),
                outcome: cell.outcome()?,
            })
        };
        self.cells.iter().map(run).collect()
    }
}

/// The table, a line at a time.
struct Table<'a> {
    report: &'a Report<'a>,
    groups: Vec<Group<'a>>,
    /// Its columns: the group's, and the metric.
    places: Vec<(&'a str, &'a str)>,
    /// The columns before them, which name a row.
    width: usize,
}

impl<'a> Table<'a> {
    fn write_heads(&self, text: &mut String, row_axes: &[&str]) {
        let heads = self.places.iter();
        let heads = heads.map(|(column, metric)| format!("{column} {metric}").trim().to_string());
        let heads: Vec<String> = padded(row_axes.iter().map(|axis| axis.to_string()), self.width)
            .chain(heads)
            .collect();
        line(text, heads.iter().cloned());
        line(text, heads.iter().map(|_| "---".to_string()));
    }

    /// The groups of a column.
    fn inside(&self, column: &str) -> Vec<&Group<'a>> {
        self.groups.iter().filter(|group| group.column == column).collect()
    }

    /// The lines of what the trained encoders are compared with; those that have no line, since they depend on the row.
    fn write_references(&self, text: &mut String) -> Vec<&str> {
        let finished = self.groups.iter().flat_map(|group| &group.runs);
        let references = unique(finished.filter_map(Outcome::finished).flat_map(Finished::references));
        let mut left_out = Vec::new();
        for reference in std::iter::once(LARGEST).chain(references) {
            let mut values = Vec::new();
            for &(column, metric) in &self.places {
                let number = |run: &Finished| match reference {
                    LARGEST => run.blind(metric),
                    _ => run.of(reference, metric),
                };
                let column = self.inside(column);
                let summary = self::reference(&column, number);
                let differs = summary.is_none() && column.iter().any(|group| group.over(number).is_some());
                if differs && !left_out.contains(&reference) {
                    left_out.push(reference);
                }
                values.push(shown(summary, false));
            }
            if values.iter().any(|value| value != NOTHING) {
                let label = [reference.to_string()].into_iter();
                line(text, padded(label, self.width).chain(values));
            }
        }
        left_out
    }

    /// The lines of the runs.
    fn write_rows(&self, text: &mut String) {
        for row in unique(self.groups.iter().map(|group| group.row.clone())) {
            let value = |&(column, metric): &(&str, &str)| {
                let mut groups = self.groups.iter();
                let group = groups.find(|group| group.row == row && group.column == column);
                group.map_or(NOTHING.to_string(), |group| self.value(group, metric))
            };
            let labels = padded(row.iter().map(|label| label.to_string()), self.width);
            line(text, labels.chain(self.places.iter().map(value)));
        }
    }

    /// A metric of a group: its mean, marked where it is the best of its column, how many runs failed, and the printed number.
    fn value(&self, group: &Group, metric: &str) -> String {
        let summary = group.summary(metric);
        let is_best = |own| is_best(metric, own, &self.inside(group.column)) && !is_blind(metric, group);
        let best = summary.as_ref().is_some_and(is_best);
        let failed = |run: &&Outcome| matches!(run, Outcome::Failed(_));
        let own = match group.runs.iter().filter(failed).count() {
            0 => shown(summary, best),
            failed => format!("{} ({failed} failed)", shown(summary, best)),
        };
        let mut labels = group.row.clone();
        if let Some(axis) = self.report.columns {
            labels.insert(axis, group.column);
        }
        let printed = self
            .report
            .reference
            .and_then(|reference| reference.shown(&labels, metric));
        printed.map_or(own.clone(), |printed| format!("{own}, {printed}"))
    }
}

/// A metric that depends on nothing but the column and the seed; nothing where it depends on the row.
fn reference(column: &[&Group], metric: impl Fn(&Finished) -> Option<Metric>) -> Option<Summary> {
    let mut of_seeds: BTreeMap<usize, Metric> = BTreeMap::new();
    for (seed, run) in column.iter().flat_map(|group| group.runs.iter().enumerate()) {
        let Some(metric) = run.finished().and_then(&metric) else {
            continue;
        };
        let value = metric.value;
        if (of_seeds.entry(seed).or_insert(metric).value - value).abs() > SAME {
            return None;
        }
    }
    let mut summary = Summary::new(of_seeds.into_values().collect())?;
    // The same in every run: a spread of 0 says nothing.
    summary.spread = summary.spread.filter(|spread| *spread > SAME);
    Some(summary)
}

/// Returns true if always answering the largest class is as accurate as the group.
fn is_blind(metric: &str, group: &Group) -> bool {
    let level = group.over(|run| run.blind(metric));
    let own = group.summary(metric);
    level.zip(own).is_some_and(|(level, own)| own.mean <= level.mean)
}

/// Returns true if no group of the column has a better mean.
fn is_best(metric: &str, own: &Summary, column: &[&Group]) -> bool {
    let Some(more) = own.like.higher_is_better else {
        return false;
    };
    let summaries = column.iter().filter_map(|group| group.summary(metric));
    let means: Vec<f64> = summaries.map(|summary| summary.mean).collect();
    let no_better = |other: &f64| if more { *other <= own.mean } else { *other >= own.mean };
    // One alone is not the best of anything.
    means.len() > 1 && means.iter().all(no_better)
}
