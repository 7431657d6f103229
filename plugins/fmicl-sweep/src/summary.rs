//! Runs that differ in their seeds alone, and a number over them.

use super::outcome::{Finished, Outcome};
use fmicl_core::Metric;

/// The runs of one place in the table.
pub struct Group<'a> {
    /// Its values on the axes of the rows.
    pub row: Vec<&'a str>,
    /// Its value on the axis of the columns; empty where there is none.
    pub column: &'a str,
    /// What its runs gave, a seed each.
    pub runs: Vec<Outcome>,
}

/// Mean and spread of a metric over the finished runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The values.
    pub values: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (of the sample: over n - 1); nothing for one value.
    pub spread: Option<f64>,
    /// The metric of the first run, for its unit and digits.
    pub like: Metric,
}

impl Summary {
    /// Of at least one run.
    pub fn new(metrics: Vec<Metric>) -> Option<Self> {
        let values: Vec<f64> = metrics.iter().map(|metric| metric.value).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let spread = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        let like = metrics.into_iter().next()?;
        Some(Summary {
            values,
            mean,
            spread,
            like,
        })
    }

    /// A number with the metric's digits.
    pub fn show(&self, value: f64) -> String {
        Metric {
            value,
            ..self.like.clone()
        }
        .shown()
    }
}

impl Group<'_> {
    /// A metric over the group's finished runs.
    pub fn summary(&self, name: &str) -> Option<Summary> {
        self.over(|run| run.trained(name).ok())
    }

    /// A metric over them.
    pub fn over(&self, metric: impl Fn(&Finished) -> Option<Metric>) -> Option<Summary> {
        let finished = self.runs.iter().filter_map(Outcome::finished);
        Summary::new(finished.filter_map(metric).collect())
    }

    /// The row's values and the column's.
    pub fn title(&self) -> String {
        let labels = self.row.iter().copied().chain([self.column]);
        labels.filter(|label| !label.is_empty()).collect::<Vec<_>>().join(", ")
    }
}
