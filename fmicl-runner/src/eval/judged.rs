//! The reports of an experiment's evaluations: a list, a table, a line of the log.

use fmicl_core::{Error, Metric, MetricValue, MetricValues, Report, Result, find_metric};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The report of an evaluation of one representation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The evaluation's name in the experiment.
    pub evaluation: String,
    /// The features: `raw pixels`, `untrained encoder`, `trained encoder`, ...
    pub representation: String,
    /// The metrics.
    #[serde(flatten)]
    pub report: Report,
}

/// Reports, of one representation after another.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reports(pub Vec<Judged>);

impl Reports {
    /// The metric of a representation: see [`find_metric`].
    ///
    /// # Errors
    /// As there.
    pub fn metric(&self, representation: &str, name: &str) -> Result<(&str, &Metric), String> {
        let own = self.0.iter().filter(|judged| judged.representation == representation);
        find_metric(own.map(|judged| (&*judged.evaluation, &judged.report)), name)
    }

    /// The reports of a representation.
    pub fn of<'a>(&'a self, representation: &'a str) -> impl Iterator<Item = &'a Judged> {
        self.0
            .iter()
            .filter(move |judged| judged.representation == representation)
    }

    /// The score by which checkpoints are compared, higher is better: the metric `best`, or otherwise the first main
    /// metric that can be compared.
    ///
    /// # Errors
    /// No metric of that name.
    pub fn score(&self, best: Option<&str>) -> Result<Option<f64>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        match best {
            Some(best) => {
                let reports = self.0.iter().map(|judged| (&*judged.evaluation, &judged.report));
                let found = find_metric(reports, best);
                let (_, metric) = found.map_err(|message| Error::config(message).at("eval.best"))?;
                Ok(metric.score())
            }
            None => Ok(self.mains().find_map(|(_, metric)| metric.score())),
        }
    }

    /// The main metric of each report.
    fn mains(&self) -> impl Iterator<Item = (&str, &Metric)> {
        let mains = self.0.iter();
        mains.filter_map(|judged| Some((&*judged.evaluation, judged.report.metric(&judged.report.main)?)))
    }

    /// The main metrics, for a line of the log.
    pub fn line(&self) -> String {
        let main = |(evaluation, metric): (&str, &Metric)| format!("  {evaluation} {}{}", metric.shown(), metric.unit);
        self.mains().map(main).collect()
    }

    /// The values by `evaluations/EVALUATION/METRIC`, of reports of one representation.
    pub fn values(&self) -> MetricValues {
        let named = |judged: &Judged| {
            let evaluation = judged.evaluation.clone();
            let metrics = judged.report.metrics.clone().into_iter();
            metrics.map(move |metric| {
                let name = format!("evaluations/{evaluation}/{}", metric.name);
                (name, MetricValue::Number(metric.value))
            })
        };
        self.0.iter().flat_map(named).collect()
    }

    /// Returns true if there are no reports.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The heading of the values of [`Metric::blind`].
const BLIND: &str = "largest class";
const NOTHING: &str = "–";

/// A line of the table.
struct Line {
    name: String,
    /// A text for each column.
    cells: Vec<String>,
    unit: String,
}

impl Reports {
    /// The representations, in their order.
    fn representations(&self) -> Vec<&str> {
        unique(self.0.iter().map(|judged| &*judged.representation))
    }

    /// A line for each metric, and one below it for the intervals where there are some.
    fn lines(&self, columns: &[&str]) -> Vec<Line> {
        let metrics = |judged: &'_ Judged| {
            let evaluation = judged.evaluation.clone();
            let names = judged.report.metrics.iter().map(|metric| metric.name.clone());
            names
                .map(move |metric| (evaluation.clone(), metric))
                .collect::<Vec<_>>()
        };
        let mut names = unique(self.0.iter().flat_map(metrics));
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut lines = Vec::new();
        for (evaluation, metric) in names {
            let of = |representation: &str| {
                let mut of = self.0.iter();
                let of = of.find(|it| it.evaluation == evaluation && it.representation == representation);
                of.and_then(|it| it.report.metric(&metric))
            };
            let own: Vec<_> = columns.iter().map(|column| of(column)).collect();
            let Some(first) = own.iter().flatten().next() else {
                continue;
            };
            let number = |value: Option<f64>| value.map_or(NOTHING.to_string(), |it| format!("{it:.*}", first.digits));
            let cell = |(column, metric): (&&str, &Option<&Metric>)| match *column {
                BLIND => number(own.iter().flatten().find_map(|metric| metric.blind)),
                _ => number(metric.map(|metric| metric.value)),
            };
            lines.push(Line {
                name: format!("{evaluation}.{metric}"),
                cells: columns.iter().zip(&own).map(cell).collect(),
                unit: first.unit.clone(),
            });
            if own.iter().flatten().any(|metric| metric.interval.is_some()) {
                let interval = |metric: &Option<&Metric>| {
                    let interval = metric.and_then(|metric| metric.interval);
                    interval.map_or(String::new(), |it| format!("{:.1}–{:.1}", it.low, it.high))
                };
                lines.push(Line {
                    name: "  95 % interval".into(),
                    cells: own.iter().map(interval).collect(),
                    unit: String::new(),
                });
            }
        }
        lines
    }

    /// Each title and note once.
    fn notes(&self) -> Vec<String> {
        let of = |Judged { evaluation, report, .. }: &Judged| {
            let title = format!("{evaluation}: {}", report.title);
            std::iter::once(title).chain(report.notes.clone()).collect::<Vec<_>>()
        };
        unique(self.0.iter().flat_map(of))
    }
}

/// Each once, in the order of the first ones.
fn unique<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

impl fmt::Display for Reports {
    /// A line for each metric and a column for each representation; below, each note once.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut columns = self.representations();
        let mut metrics = self.0.iter().flat_map(|judged| &judged.report.metrics);
        if metrics.any(|metric| metric.blind.is_some()) {
            columns.insert(0, BLIND);
        }
        let lines = self.lines(&columns);
        let count = |text: &str| text.chars().count();
        let name = lines.iter().map(|line| count(&line.name)).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = lines.iter().map(|line| count(&line.cells[column]));
            cells.max().unwrap_or(0).max(count(columns[column]))
        };
        let widths: Vec<_> = (0..columns.len()).map(width).collect();
        let row = |cells: &[&str]| -> String {
            let cells = cells.iter().zip(&widths);
            cells.map(|(cell, width)| format!("  {cell:>width$}")).collect()
        };
        writeln!(f, "{:name$}{}", "", row(&columns))?;
        for Line { name: own, cells, unit } in &lines {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let line = format!("{own:name$}{} {unit}", row(&cells));
            writeln!(f, "{}", line.trim_end())?;
        }
        self.notes().iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(evaluation: &str, representation: &str, metrics: Vec<Metric>) -> Judged {
        Judged {
            evaluation: evaluation.into(),
            representation: representation.into(),
            report: Report {
                title: "a title".into(),
                main: metrics[0].name.clone(),
                metrics,
                notes: vec!["a note.".into()],
                ..Report::default()
            },
        }
    }

    fn reports() -> Reports {
        let percent = |share| Metric::percent("accuracy", share, Some(0.1));
        Reports(vec![
            judged("knn", "raw pixels", vec![percent(0.25)]),
            judged("knn", "trained encoder", vec![percent(0.5)]),
            judged("sts", "trained encoder", vec![Metric::new("STS-B", f64::NAN, 2)]),
        ])
    }

    #[test]
    fn a_table_has_a_line_for_each_metric_and_each_note_once() {
        let expected = "              largest class  raw pixels  trained encoder
knn.accuracy           10.0        25.0             50.0 %
sts.STS-B                 –           –              NaN
knn: a title
a note.
sts: a title
";
        assert_eq!(reports().to_string(), expected);
    }

    #[test]
    fn an_interval_stands_below_its_metric() {
        let all = |share: &[i64]| {
            let right = fmicl_core::tch::Tensor::from_slice(share);
            vec![Metric::percent("accuracy", 0.5, None).counting(&right)]
        };
        let reports = Reports(vec![judged("knn", "a", all(&[1, 1])), judged("knn", "b", all(&[0, 0]))]);
        let expected = "                           a        b
knn.accuracy            50.0     50.0 %
  95 % interval  100.0–100.0  0.0–0.0
";
        let table = reports.to_string();
        assert!(table.starts_with(expected), "{table}");
    }

    #[test]
    fn reports_are_read_as_they_were_written() {
        let text = serde_json::to_string(&reports()).unwrap();
        let read: Reports = serde_json::from_str(&text).unwrap();
        assert_eq!(read.0[..2], reports().0[..2]);
        assert!(read.0[2].report.metrics[0].value.is_nan(), "{text}");
        assert_eq!(read.metric("trained encoder", "knn").unwrap().1.value, 50.0);
    }

    #[test]
    fn checkpoints_are_compared_by_the_first_number_or_by_the_metric_that_is_named() {
        let of = |more: Metric| {
            Reports(vec![
                judged("a", "encoder", vec![Metric::new("x", f64::NAN, 2)]),
                judged("b", "encoder", vec![Metric::new("y", 3.0, 2), more]),
            ])
        };
        let reports = of(Metric::new("uniformity", -2.5, 3).lower_is_better());
        assert_eq!(reports.score(None).unwrap(), Some(3.0));
        assert_eq!(reports.score(Some("uniformity")).unwrap(), Some(2.5));
        assert_eq!(reports.score(Some("a")).unwrap(), None, "it is no number");
        assert_eq!(
            reports.score(Some("b.z")).unwrap_err().to_string(),
            "eval.best: no metric named `b.z` (did you mean `b.y`?); there are a.x, b.y, b.uniformity"
        );
        assert_eq!(
            Reports::default().score(Some("b.z")).unwrap(),
            None,
            "nothing was evaluated"
        );
    }
}
