//! `[report.best]`: a second table, in which each row has the value of an axis that is best for it.
//!
//! ```toml
//! [report.best]
//! axis = "setting"       # of its values the best one
//! by = "knn.held-out"    # in the mean of this metric over the seeds
//! against = "infonce"    # differences to the rows that are called so
//! ```

use super::lines::{NOTHING, line, shown};
use super::lists::unique;
use super::outcome::{Finished, Outcome};
use super::summary::{Group, Summary};
use fmicl_core::difference;
use serde::Deserialize;
use std::fmt::Write;

/// What the second table shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// The axis that is chosen from: of its values that have the same `of`, or of all where they have none, the best one.
    pub axis: String,
    /// The metric that it is chosen by.
    pub by: String,
    /// A value of another axis, or an `of`: the other rows are compared with those that have it and are like them otherwise.
    #[serde(default)]
    pub against: Option<String>,
}

/// A row: the cells that it is chosen from.
struct Row<'a> {
    /// Its values on the other axes, then the `of` of the values of the chosen one.
    labels: Vec<&'a str>,
    choices: Vec<Group<'a>>,
}

/// A run's labels, what its value on the chosen axis is of, and its outcome.
pub struct Run<'a> {
    /// Its values on the axes.
    pub labels: &'a [String],
    /// The `of` of its value on the axis that is chosen from.
    pub of: Option<&'a str>,
    /// What it gave.
    pub outcome: Outcome,
}

impl Best {
    /// The table of these runs, with a caption, by the names of the axes.
    pub fn markdown(&self, axes: &[&str], metrics: &[String], runs: Vec<Run>) -> String {
        let Some(chosen) = axes.iter().position(|axis| *axis == self.axis) else {
            return String::new();
        };
        let rows = rows(chosen, runs);
        let others = axes.iter().enumerate().filter(|(axis, _)| *axis != chosen);
        let mut heads: Vec<String> = others.map(|(_, axis)| axis.to_string()).collect();
        let has_of = rows.iter().any(|row| row.labels.len() > heads.len());
        heads.extend(has_of.then(|| self.axis.clone()));
        heads.push(format!("best {}", self.axis));
        let width = heads.len() - 1;
        // Each a number of every row; a difference that no row has is no column.
        let mut columns: Vec<(String, Vec<String>)> = Vec::new();
        for metric in metrics {
            let own = |row: &Row| shown(row.best(&self.by).and_then(|best| best.summary(metric)), false);
            columns.push((metric.clone(), rows.iter().map(own).collect()));
            let Some(other) = &self.against else { continue };
            let differences = rows.iter().map(|row| self.difference(row, &rows, metric));
            let differences: Vec<Option<String>> = differences.collect();
            if differences.iter().any(Option::is_some) {
                let shown = differences.into_iter().map(|it| it.unwrap_or_else(|| NOTHING.into()));
                columns.push((format!("{metric} - {other}"), shown.collect()));
            }
        }
        let differs = columns.len() > metrics.len();
        heads.extend(columns.iter().map(|(head, _)| head.clone()));
        let mut text = format!("## With the best {}, by {}\n\n", self.axis, self.by);
        line(&mut text, heads.iter().cloned());
        line(&mut text, heads.iter().map(|_| "---".to_string()));
        for (index, row) in rows.iter().enumerate() {
            let padding = std::iter::repeat_n("", width - row.labels.len());
            let labels = row.labels.iter().copied().chain(padding);
            let left_out = row
                .choices
                .iter()
                .filter(|group| score(group, &self.by).is_none())
                .count();
            let chosen = row.best(&self.by).map_or(NOTHING, |best| best.column).to_string();
            let chosen = match left_out {
                0 => chosen,
                left_out => format!("{chosen} ({left_out} of {} left out)", row.choices.len()),
            };
            let values = columns.iter().map(|(_, values)| values[index].clone());
            line(&mut text, labels.map(str::to_string).chain([chosen]).chain(values));
        }
        let _ = writeln!(
            text,
            "\nOf each row the value of `{}` with the best mean of {}; left out are values of which a run failed, is waiting or lacks that.",
            self.axis, self.by
        );
        if let Some(other) = self.against.as_ref().filter(|_| differs) {
            let _ = writeln!(
                text,
                "\nDifferences to `{other}` in %, with the 95 % interval of a paired bootstrap over test samples and seeds."
            );
        }
        text
    }

    /// The difference of a row to its counterpart.
    fn difference(&self, row: &Row, rows: &[Row], metric: &str) -> Option<String> {
        let other = row.counterpart(self.against.as_ref()?, rows)?;
        compared(row.best(&self.by)?, other.best(&self.by)?, metric)
    }
}

/// What a choice is compared by, the more the better: nothing where a run of it failed, is waiting or lacks the metric.
fn score(group: &Group, by: &str) -> Option<f64> {
    let Summary { values, mean, like, .. } = group.summary(by)?;
    let sign = if like.higher_is_better? { 1.0 } else { -1.0 };
    (values.len() == group.runs.len() && mean.is_finite()).then_some(sign * mean)
}

/// The runs by their labels without the one on the chosen axis.
fn rows(chosen: usize, runs: Vec<Run<'_>>) -> Vec<Row<'_>> {
    let mut rows: Vec<Row> = Vec::new();
    for Run { labels, of, outcome } in runs {
        let others = labels.iter().enumerate().filter(|(axis, _)| *axis != chosen);
        let key: Vec<&str> = others.map(|(_, label)| &**label).chain(of).collect();
        let at = rows.iter().position(|row| row.labels == key).unwrap_or_else(|| {
            rows.push(Row {
                labels: key.clone(),
                choices: Vec::new(),
            });
            rows.len() - 1
        });
        let label = &*labels[chosen];
        match rows[at].choices.iter_mut().find(|group| group.column == label) {
            Some(group) => group.runs.push(outcome),
            None => rows[at].choices.push(Group {
                row: key,
                column: label,
                runs: vec![outcome],
            }),
        }
    }
    rows
}

impl<'a> Row<'a> {
    /// The choice with the best mean.
    fn best(&self, by: &str) -> Option<&Group<'a>> {
        let scored = self.choices.iter().filter_map(|group| Some((score(group, by)?, group)));
        // The first of several.
        let best = scored.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, group)| group)
    }

    /// The row that has the label `other` in one place, and this one's in the others.
    fn counterpart<'r>(&self, other: &str, rows: &'r [Row<'a>]) -> Option<&'r Row<'a>> {
        let is_it = |row: &&Row| {
            let mut differ = self.labels.iter().zip(&row.labels).filter(|(own, its)| own != its);
            row.labels.len() == self.labels.len()
                && differ.next().is_some_and(|(_, its)| *its == other)
                && differ.next().is_none()
        };
        rows.iter().find(is_it)
    }
}

/// The difference of a metric, where both have its hits at the same seeds.
fn compared(own: &Group, other: &Group, metric: &str) -> Option<String> {
    let hits = |run: &Outcome| run.finished().and_then(|run: &Finished| run.trained(metric).ok()?.hits);
    let pairs = own.runs.iter().zip(&other.runs);
    let pairs: Vec<_> = pairs
        .filter_map(|(own, other)| Some((hits(own)?, hits(other)?)))
        .collect();
    let pairs: Vec<_> = pairs.iter().map(|(own, other)| (own, other)).collect();
    difference(&pairs).map(|found| found.to_string())
}

/// The labels that a row can be compared with: values of the other axes, and what values of the chosen one are of.
pub fn counterparts<'a>(axes: &'a [(&str, Vec<String>)], chosen: &str, of: &'a [String]) -> Vec<&'a str> {
    let others = axes
        .iter()
        .filter(|(axis, _)| *axis != chosen)
        .flat_map(|(_, labels)| labels);
    unique(others.chain(of).map(String::as_str))
}
