//! The numbers of training as a report, so that they are columns like those of evaluations.

use fmicl_core::{Metric, MetricNames, Report};
use serde_json::Value;

/// The name of the report beside those of evaluations.
pub const TRAINING: &str = "train";
/// What the names of evaluations' metrics begin with in `metrics.jsonl`: `evaluations/EVALUATION/METRIC`.
pub const EVALUATIONS: &str = "evaluations/";
const MAIN: &str = "loss";
const SECONDS: &str = "seconds";

/// The numbers of a line of `metrics.jsonl` or `steps.jsonl` by their names, `GROUP/NAME` in a group, those in no group first; one
/// that was not finite is NaN.
pub fn numbers(line: &Value) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    add(line, "", &mut found);
    found
}

fn add(value: &Value, above: &str, found: &mut Vec<(String, f64)>) {
    let entries = || value.as_object().into_iter().flatten();
    for (name, value) in entries() {
        match value {
            Value::Null => found.push((format!("{above}{name}"), f64::NAN)),
            value => found.extend(value.as_f64().map(|value| (format!("{above}{name}"), value))),
        }
    }
    for (name, value) in entries().filter(|(_, value)| value.is_object()) {
        add(value, &format!("{above}{name}/"), found);
    }
}

/// The report of the [`numbers`] of a run's last epoch, and of its time: each of them is a metric, whatever objective wrote it,
/// but those of evaluations.
pub fn training(last_epoch: impl IntoIterator<Item = (String, f64)>, seconds: Option<f64>) -> Report {
    let own = last_epoch.into_iter();
    let own = own.filter(|(name, value)| value.is_finite() && !name.starts_with(EVALUATIONS));
    let mut metrics: Vec<_> = own.map(|(name, value)| metric(&within(&name), value)).collect();
    metrics.extend(seconds.map(|seconds| metric(SECONDS, seconds)));
    Report {
        title: "the last epoch of training".into(),
        metrics,
        main: MAIN.into(),
        ..Report::default()
    }
}

/// The name that a metric has in its group.
fn within(name: &str) -> String {
    name.rsplit('/').next().unwrap_or_default().replace('_', "-")
}

/// The names of its metrics, of those of an epoch as they are known before training.
pub fn training_names<'a>(of_epoch: impl Iterator<Item = &'a str>) -> MetricNames {
    MetricNames {
        main: MAIN.into(),
        all: of_epoch.map(within).chain([SECONDS.into()]).collect(),
    }
}

/// A number of training; runs are compared by the geometry of their projections alone.
fn metric(name: &str, value: f64) -> Metric {
    let digits = match name {
        "seconds" | "epoch" | "step" | "images-per-second" => 0,
        "effective-rank" => 1,
        _ => 3,
    };
    let metric = Metric::new(name, value, digits);
    match name {
        "alignment" | "uniformity" => metric.lower_is_better(),
        "seconds" => Metric {
            higher_is_better: None,
            ..metric.in_unit("s")
        },
        _ => Metric {
            higher_is_better: None,
            ..metric
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_an_epoch_is_a_metric() {
        let line = serde_json::json!({
            "epoch": 3, "loss": 0.5, "f_mi": 1.25, "projections": { "of": "x", "effective_rank": 7.5, "alignment": 0.2 },
            "evaluations": { "knn": { "accuracy": 50.0 } }, "balance": null,
        });
        let report = training(numbers(&line), Some(61.0));
        let shown = |name: &str| report.metric(name).map(Metric::shown);
        assert_eq!(shown("f-mi").as_deref(), Some("1.250"));
        assert_eq!(shown("effective-rank").as_deref(), Some("7.5"));
        assert_eq!(shown("seconds").as_deref(), Some("61"));
        assert_eq!(shown("balance"), None, "it was not finite");
        assert_eq!(shown("accuracy"), None, "it is an evaluation's");
        assert_eq!(report.metric("alignment").unwrap().higher_is_better, Some(false));
        assert_eq!(report.metric("loss").unwrap().higher_is_better, None);
    }
}
