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

impl fmt::Display for Reports {
    /// A line for each metric and a column for each representation; below, each note once.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut representations: Vec<&str> = Vec::new();
        let mut lines: Vec<(&str, &Metric)> = Vec::new();
        let mut notes: Vec<String> = Vec::new();
        for Judged {
            evaluation,
            representation,
            report,
        } in &self.0
        {
            if !representations.contains(&&**representation) {
                representations.push(representation);
            }
            for metric in &report.metrics {
                if !lines
                    .iter()
                    .any(|(other, known)| other == evaluation && known.name == metric.name)
                {
                    lines.push((evaluation, metric));
                }
            }
            let title = format!("{evaluation}: {}", report.title);
            for note in std::iter::once(&title).chain(&report.notes) {
                if !notes.contains(note) {
                    notes.push(note.clone());
                }
            }
        }
        lines.sort_by_key(|(evaluation, _)| *evaluation);
        let blind = lines.iter().any(|(_, metric)| metric.blind.is_some());
        let name = |(evaluation, metric): &(&str, &Metric)| format!("{evaluation}.{}", metric.name);
        let width = lines.iter().map(|line| name(line).chars().count()).max().unwrap_or(0);
        let columns = blind
            .then_some(BLIND)
            .into_iter()
            .chain(representations.iter().copied());
        write!(f, "{:width$}", "")?;
        columns.clone().try_for_each(|column| write!(f, "  {column}"))?;
        writeln!(f)?;
        for line in &lines {
            write!(f, "{:width$}", name(line))?;
            let digits = line.1.digits;
            for column in columns.clone() {
                let value = match column {
                    BLIND => line.1.blind,
                    representation => {
                        let mut of = self.0.iter();
                        let of = of.find(|it| it.evaluation == line.0 && it.representation == representation);
                        of.and_then(|it| Some(it.report.metric(&line.1.name)?.value))
                    }
                };
                let value = value.map_or(NOTHING.to_string(), |value| format!("{value:.digits$}"));
                write!(f, "  {value:>0$}", column.chars().count())?;
            }
            let unit = &line.1.unit;
            writeln!(f, "{}{unit}", if unit.is_empty() { "" } else { " " })?;
        }
        notes.iter().try_for_each(|note| writeln!(f, "{note}"))
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
