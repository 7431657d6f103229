//! Every run of a sweep, in CSV: a line each.

use super::cell::Cell;
use super::metric::Metric;
use super::outcome::{Finished, Outcome, REFERENCES};
use super::provenance;
use fmicl_core::Result;
use serde_json::Value;

/// Where a run and its evaluation say how they were done, in `result.json`.
const CIRCUMSTANCES: [(&str, &str); 7] = [
    ("epochs", "/epochs"),
    ("dataset", "/evaluation/dataset"),
    ("train_images", "/evaluation/protocol/train_images"),
    ("test_images", "/evaluation/protocol/test_images"),
    ("k", "/evaluation/protocol/k"),
    ("temperature", "/evaluation/protocol/temperature"),
    ("l2", "/evaluation/protocol/l2"),
];

/// The values on the axes, the seed, what it gave (accuracies in %), what it is compared with, and how it was done.
///
/// # Errors
/// A result that cannot be read.
pub fn long(axes: &[&str], cells: &[Cell]) -> Result<String> {
    let key = |metric: Metric| metric.title().to_lowercase().replace([' ', '-'], "_");
    let mut head: Vec<String> = axes.iter().map(|axis| axis.to_string()).collect();
    head.extend(["seed", "state"].map(str::to_string));
    head.extend(Metric::ALL.map(key));
    for reference in REFERENCES {
        head.extend(accuracies().map(|metric| format!("{} {}", reference, key(metric)).replace(' ', "_")));
    }
    head.push("chance".into());
    head.push("largest_class".into());
    head.extend(CIRCUMSTANCES.map(|(name, _)| name.to_string()));
    head.extend(provenance::KEYS.map(str::to_string));
    head.push("directory".into());

    let mut text = line(&head);
    for cell in cells {
        text += &line(&row(cell, &cell.outcome()?));
    }
    Ok(text)
}

fn accuracies() -> impl Iterator<Item = Metric> {
    Metric::ALL.into_iter().filter(|metric| metric.accuracy().is_some())
}

fn row(cell: &Cell, outcome: &Outcome) -> Vec<String> {
    let run = outcome.finished();
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let state = match outcome {
        Outcome::Waiting => "waiting".into(),
        Outcome::Failed(reason) => format!("failed: {reason}"),
        Outcome::Finished(run) => run.collapse().unwrap_or_else(|| "done".into()),
    };
    let mut row = cell.labels.clone();
    row.extend([cell.seed.to_string(), state]);
    row.extend(Metric::ALL.map(|metric| number(run.and_then(|run| run.value(metric)))));
    for reference in REFERENCES {
        row.extend(accuracies().map(|metric| number(run.and_then(|run| run.accuracy(reference, metric)))));
    }
    row.push(number(run.and_then(Finished::chance)));
    row.push(number(run.and_then(|run| run.largest_class(Metric::Knn))));
    row.extend(
        CIRCUMSTANCES.map(|(_, pointer)| match run.map(|run| run.result(pointer)) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }),
    );
    let segments = run.map(Finished::segments).unwrap_or_default();
    row.extend(provenance::KEYS.map(|key| provenance::values(&segments, key)));
    row.push(cell.dir.display().to_string());
    row
}

/// Quoted as in RFC 4180.
pub(crate) fn line(fields: &[String]) -> String {
    let quoted = |field: &String| match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.clone(),
    };
    format!("{}\n", fields.iter().map(quoted).collect::<Vec<_>>().join(","))
}
