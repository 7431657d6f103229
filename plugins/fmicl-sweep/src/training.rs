//! The numbers of training as a report, so that they are columns like those of evaluations.

use fmicl_core::{Metric, MetricNames, Report};
use serde_json::Value;

/// The name of the report beside those of evaluations.
pub const TRAINING: &str = "train";
const MAIN: &str = "loss";
const SECONDS: &str = "seconds";

/// The report of a run's last line of `metrics.jsonl` and its time: every number of the line is a metric, whatever objective
/// wrote it.
pub fn training(last_epoch: &Value, seconds: Option<f64>) -> Report {
    let numbers = |value: &Value| -> Vec<Metric> {
        let entries = value.as_object().into_iter().flatten();
        entries
            .filter_map(|(name, value)| Some(metric(&name.replace('_', "-"), value.as_f64()?)))
            .collect()
    };
    let mut metrics = numbers(last_epoch);
    metrics.extend(numbers(&last_epoch["projections"]));
    metrics.extend(seconds.map(|seconds| metric(SECONDS, seconds)));
    Report {
        title: "the last epoch of training".into(),
        metrics,
        main: MAIN.into(),
        ..Report::default()
    }
}

/// The names of its metrics, of those of an epoch as they are known before training.
pub fn training_names<'a>(of_epoch: impl Iterator<Item = &'a str>) -> MetricNames {
    let within = |name: &str| name.rsplit('/').next().unwrap_or_default().replace('_', "-");
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
            "evaluations": { "knn": { "accuracy": 50.0 } },
        });
        let report = training(&line, Some(61.0));
        let shown = |name: &str| report.metric(name).map(Metric::shown);
        assert_eq!(shown("f-mi").as_deref(), Some("1.250"));
        assert_eq!(shown("effective-rank").as_deref(), Some("7.5"));
        assert_eq!(shown("seconds").as_deref(), Some("61"));
        assert_eq!(shown("accuracy"), None, "it is an evaluation's");
        assert_eq!(report.metric("alignment").unwrap().higher_is_better, Some(false));
        assert_eq!(report.metric("loss").unwrap().higher_is_better, None);
    }
}
