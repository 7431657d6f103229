//! The one result type: a report of metrics, each of which is found by its name.

use super::bootstrap::{self, Interval};
use super::confusion::Confusion;
use super::hits::Hits;
use super::scatter::Scatter;
use crate::registry::did_you_mean;
use serde::{Deserialize, Deserializer, Serialize};
use tch::Tensor;

/// Results of an evaluation of one encoder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Title: the measure and its data, in one line.
    pub title: String,
    /// The metrics, in the order in which they are shown.
    pub metrics: Vec<Metric>,
    /// Name of the main metric: a column named after the evaluation shows it, and checkpoints are compared by it.
    pub main: String,
    /// Notes on how the values were obtained, one sentence each.
    pub notes: Vec<String>,
    /// Confusion matrix of the classifier that the main metric is about, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Confusion>,
    /// Points behind the main metric, where it is of pairs of numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scatter: Option<Scatter>,
}

/// A named number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Name, such as `accuracy` or `STS-B`.
    pub name: String,
    /// The number, in the unit; in JSON `null` where it is not finite.
    #[serde(deserialize_with = "or_nan")]
    pub value: f64,
    /// Such as `%` or `s`; empty for a pure number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// `true` if higher is better; `None` if encoders are not compared by this metric.
    #[serde(default)]
    pub higher_is_better: Option<bool>,
    /// Significant digits after the decimal point.
    pub digits: usize,
    /// The value of always giving the commonest answer without a look at the sample, where that has one: no encoder at or
    /// below it has learnt anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<f64>,
    /// The 95 % interval of the value over test samples, if it is a share of them; by a bootstrap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Hits of each test sample, if the metric is a share of them; used to compare two encoders sample by sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hits: Option<Hits>,
}

fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl Metric {
    /// A pure number of which more is better.
    pub fn new(name: &str, value: f64, digits: usize) -> Self {
        Metric {
            name: name.into(),
            value,
            unit: String::new(),
            higher_is_better: Some(true),
            digits,
            blind: None,
            interval: None,
            hits: None,
        }
    }

    /// A share, 0 to 1, as a number of `%` with one digit; `blind` is the share of always giving the commonest answer.
    pub fn percent(name: &str, share: f64, blind: Option<f64>) -> Self {
        Metric {
            unit: "%".into(),
            blind: blind.map(|share| 100.0 * share),
            ..Metric::new(name, 100.0 * share, 1)
        }
    }

    /// The metric with what it counts, `right` being 0 or 1 of each test sample `[N]`, and its interval.
    pub fn counting(self, right: &Tensor) -> Self {
        let hits = Hits::of(right);
        Metric {
            interval: bootstrap::interval(&hits),
            hits: Some(hits),
            ..self
        }
    }

    /// The metric, of which less is better.
    pub fn lower_is_better(self) -> Self {
        Metric {
            higher_is_better: Some(false),
            ..self
        }
    }

    /// The metric in a unit.
    pub fn in_unit(self, unit: &str) -> Self {
        Metric {
            unit: unit.into(),
            ..self
        }
    }

    /// Digits that are shown at most, whatever a file asks for.
    pub const MOST_DIGITS: usize = 17;

    /// The value as it is shown, without the unit.
    pub fn shown(&self) -> String {
        format!("{:.*}", self.digits.min(Metric::MOST_DIGITS), self.value)
    }

    /// The value with the sign that makes more better; nothing where it is no number, or encoders are not compared by it.
    pub fn score(&self) -> Option<f64> {
        let sign = if self.higher_is_better? { 1.0 } else { -1.0 };
        Some(sign * self.value).filter(|score| score.is_finite())
    }
}

impl Report {
    /// The metric of a name.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}

/// The names of a report's metrics, known before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricNames {
    /// The main one.
    pub main: String,
    /// All of them; a name that ends in `*` stands for all that begin so, where they depend on the data.
    pub all: Vec<String>,
}

impl MetricNames {
    /// Names, of which the first is the main one.
    pub fn new(main: &str, others: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let all = std::iter::once(main.to_string()).chain(others.into_iter().map(Into::into));
        MetricNames {
            main: main.into(),
            all: all.collect(),
        }
    }

    /// The names of the metrics of a report.
    pub fn of(report: &Report) -> Self {
        MetricNames {
            main: report.main.clone(),
            all: report.metrics.iter().map(|metric| metric.name.clone()).collect(),
        }
    }

    /// Returns true if a metric has this name.
    pub fn has(&self, name: &str) -> bool {
        self.all.iter().any(|known| match known.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == known,
        })
    }
}

/// The metric that `name` means among the reports of several evaluations: see [`find_name`].
///
/// # Errors
/// As there.
pub fn find_metric<'a>(
    reports: impl IntoIterator<Item = (&'a str, &'a Report)>,
    name: &str,
) -> Result<(&'a str, &'a Metric), String> {
    let reports: Vec<_> = reports.into_iter().collect();
    let names: Vec<_> = reports.iter().map(|(_, report)| MetricNames::of(report)).collect();
    let evaluations = reports.iter().map(|(evaluation, _)| *evaluation);
    let (evaluation, metric) = find_name(evaluations.zip(&names), name)?;
    let mut own = reports.iter().filter(|(of, _)| *of == evaluation);
    let found = own.find_map(|(of, report)| Some((*of, report.metric(metric)?)));
    found.ok_or_else(|| format!("no metric named `{name}`"))
}

/// The evaluation and the metric that `name` means among those of several evaluations: `EVALUATION.METRIC`; `EVALUATION`, for its
/// main one; or `METRIC`, where one evaluation alone has a metric of that name.
///
/// # Errors
/// No such metric, or more than one, with the names that would work.
pub fn find_name<'a>(
    evaluations: impl IntoIterator<Item = (&'a str, &'a MetricNames)>,
    name: &'a str,
) -> Result<(&'a str, &'a str), String> {
    let mut named = Vec::new();
    let mut known = Vec::new();
    for (evaluation, names) in evaluations {
        let inside = name.strip_prefix(evaluation);
        let metric = match inside {
            Some("") => Some(&*names.main),
            Some(inside) => inside.strip_prefix('.'),
            None => None,
        };
        if let Some(metric) = metric.filter(|metric| names.has(metric)) {
            return Ok((evaluation, metric));
        }
        named.extend(names.has(name).then_some((evaluation, name)));
        known.extend(names.all.iter().map(|metric| format!("{evaluation}.{metric}")));
    }
    match &named[..] {
        [only] => Ok(*only),
        [] if known.is_empty() => Err(format!("no metric named `{name}`: there is no evaluation")),
        [] => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            Err(format!(
                "no metric named `{name}`{}; there are {}",
                did_you_mean(name, &known),
                known.join(", ")
            ))
        }
        several => {
            let names: Vec<_> = several
                .iter()
                .map(|(evaluation, _)| format!("{evaluation}.{name}"))
                .collect();
            Err(format!(
                "several metrics are named `{name}`: write {}",
                names.join(" or ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(main: &str, names: &[&str]) -> Report {
        Report {
            title: "t".into(),
            metrics: names.iter().map(|name| Metric::new(name, 1.0, 1)).collect(),
            main: main.into(),
            ..Report::default()
        }
    }

    #[test]
    fn a_metric_is_found_by_both_names_by_the_evaluation_s_or_by_its_own_where_no_other_has_it() {
        let knn = report("accuracy", &["accuracy", "balanced"]);
        let sts = report("STS-B dev", &["STS-B", "STS-B dev", "accuracy"]);
        let found = |name| {
            let found = find_metric([("knn", &knn), ("sts", &sts)], name);
            found.map(|(evaluation, metric)| format!("{evaluation}.{}", metric.name))
        };
        assert_eq!(found("knn.balanced").unwrap(), "knn.balanced");
        assert_eq!(found("sts").unwrap(), "sts.STS-B dev");
        assert_eq!(found("balanced").unwrap(), "knn.balanced");
        assert_eq!(found("STS-B").unwrap(), "sts.STS-B");
        assert_eq!(
            found("accuracy").unwrap_err(),
            "several metrics are named `accuracy`: write knn.accuracy or sts.accuracy"
        );
        assert_eq!(
            found("knn.balance").unwrap_err(),
            "no metric named `knn.balance` (did you mean `knn.balanced`?); there are knn.accuracy, knn.balanced, sts.STS-B, \
             sts.STS-B dev, sts.accuracy"
        );
    }

    #[test]
    fn a_name_that_ends_in_a_star_stands_for_all_that_begin_so() {
        let names = MetricNames::new("accuracy", ["class *"]);
        let find = |name| find_name([("confusion", &names)], name);
        assert_eq!(find("confusion.class a b").unwrap(), ("confusion", "class a b"));
        assert_eq!(find("confusion").unwrap(), ("confusion", "accuracy"));
        assert_eq!(
            find("confusion.klass up").unwrap_err(),
            "no metric named `confusion.klass up` (did you mean `confusion.class *`?); there are confusion.accuracy, \
             confusion.class *"
        );
        assert_eq!(
            find_name([], "knn").unwrap_err(),
            "no metric named `knn`: there is no evaluation"
        );
    }

    #[test]
    fn a_score_is_the_more_the_better_and_a_number() {
        assert_eq!(Metric::percent("a", 0.5, None).score(), Some(50.0));
        assert_eq!(Metric::new("a", 2.0, 0).lower_is_better().score(), Some(-2.0));
        assert_eq!(Metric::new("a", f64::NAN, 0).score(), None);
    }
}
