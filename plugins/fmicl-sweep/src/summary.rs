//! Runs that differ in their seeds alone, and a number over them.

use super::metric::Metric;
use super::outcome::{Finished, Outcome};

/// The runs of one place in the table.
pub struct Group<'a> {
    /// Its values on the axes of the rows.
    pub row: Vec<&'a str>,
    /// Its value on the axis of the columns; empty where there is none.
    pub column: &'a str,
    /// What its runs gave, a seed each.
    pub runs: Vec<Outcome>,
}

/// Mean and spread of a number over the finished runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The values.
    pub values: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (of the sample: over n - 1); nothing for one value.
    pub spread: Option<f64>,
}

impl Summary {
    /// Of at least one value.
    pub fn new(values: Vec<f64>) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let spread = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        (!values.is_empty()).then_some(Summary { values, mean, spread })
    }
}

impl Group<'_> {
    /// A metric over the group's finished runs.
    pub fn summary(&self, metric: Metric) -> Option<Summary> {
        self.over(|run| run.value(metric))
    }

    /// A number over them.
    pub fn over(&self, number: impl Fn(&Finished) -> Option<f64>) -> Option<Summary> {
        Summary::new(
            self.runs
                .iter()
                .filter_map(Outcome::finished)
                .filter_map(number)
                .collect(),
        )
    }

    /// The row's values and the column's.
    pub fn title(&self) -> String {
        let labels = self.row.iter().copied().chain([self.column]);
        labels.filter(|label| !label.is_empty()).collect::<Vec<_>>().join(", ")
    }
}
