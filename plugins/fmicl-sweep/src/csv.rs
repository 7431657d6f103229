//! Every run of a sweep, in CSV: a line each.

use super::cell::Cell;
use super::outcome::{Finished, Outcome};
use super::provenance;
use super::reference::Reference;
use fmicl_core::{Metric, Result};
use fmicl_runner::eval::TRAINED;
use fmicl_runner::run::provenance::SCHEMA;
use serde_json::Value;

/// Where a run says how it was judged, in `result.json`.
const CIRCUMSTANCES: [(&str, &str); 4] = [
    ("epochs", "/epochs"),
    ("dataset", "/labels/dataset"),
    ("train_samples", "/labels/train"),
    ("test_samples", "/labels/test"),
];

/// The columns of metrics that any run has: those of the trained encoder and of training, those that they are compared with,
/// and those of always giving the commonest answer.
#[derive(Default)]
struct Columns {
    trained: Vec<String>,
    references: Vec<(String, String)>,
    blind: Vec<String>,
}

impl Columns {
    fn of<'a>(runs: impl Iterator<Item = &'a Finished>) -> Self {
        let mut columns = Columns::default();
        for run in runs {
            let of_training = |name: &String| run.of(TRAINED, name).is_none();
            let (of_training, judged): (Vec<_>, Vec<_>) = run.names().into_iter().partition(of_training);
            for name in judged.iter().chain(&of_training) {
                add(&mut columns.trained, name.clone());
            }
            for name in judged {
                for reference in run.references() {
                    if run.of(reference, &name).is_some() {
                        add(&mut columns.references, (reference.to_string(), name.clone()));
                    }
                }
                if run.blind(&name).is_some() {
                    add(&mut columns.blind, name);
                }
            }
        }
        columns
    }

    fn heads(&self) -> impl Iterator<Item = String> {
        let references = self
            .references
            .iter()
            .map(|(reference, name)| format!("{reference} {name}"));
        let blind = self.blind.iter().map(|name| format!("largest class {name}"));
        let all = self.trained.iter().cloned().chain(references).chain(blind);
        all.map(|head| head.replace(' ', "_"))
    }

    fn values(&self, run: Option<&Finished>) -> impl Iterator<Item = String> {
        let shown = |metric: Option<Metric>| metric.map_or(String::new(), |metric| metric.value.to_string());
        let trained = self
            .trained
            .iter()
            .map(move |name| shown(run.and_then(|run| run.trained(name).ok())));
        let references = self.references.iter();
        let references = references.map(move |(reference, name)| shown(run.and_then(|run| run.of(reference, name))));
        let blind = self
            .blind
            .iter()
            .map(move |name| shown(run.and_then(|run| run.blind(name))));
        trained.chain(references).chain(blind)
    }
}

fn add<T: PartialEq>(items: &mut Vec<T>, item: T) {
    if !items.contains(&item) {
        items.push(item);
    }
}

/// The values on the axes, the seed, all metrics, the reference's numbers, and how the run was done.
///
/// # Errors
/// A result that cannot be read.
pub fn long(axes: &[&str], cells: &[Cell], reference: Option<&Reference>) -> Result<String> {
    let outcomes: Vec<Outcome> = cells.iter().map(Cell::outcome).collect::<Result<_>>()?;
    let columns = Columns::of(outcomes.iter().filter_map(Outcome::finished));
    let mut head: Vec<String> = axes.iter().map(|axis| axis.to_string()).collect();
    head.extend(["seed", "state"].map(str::to_string));
    head.extend(columns.heads());
    head.extend(reference.map(Reference::heads).unwrap_or_default());
    head.extend(CIRCUMSTANCES.map(|(name, _)| name.to_string()));
    head.extend(provenance::KEYS.map(str::to_string));
    head.extend(["directory", "schema"].map(str::to_string));

    let mut text = line(&head);
    for (cell, outcome) in cells.iter().zip(&outcomes) {
        text += &line(&row(cell, outcome, &columns, reference));
    }
    Ok(text)
}

fn row(cell: &Cell, outcome: &Outcome, columns: &Columns, reference: Option<&Reference>) -> Vec<String> {
    let run = outcome.finished();
    let state = match outcome {
        Outcome::Waiting => "waiting".into(),
        Outcome::Failed(reason) => format!("failed: {reason}"),
        Outcome::Finished(run) => run.collapse().unwrap_or_else(|| "done".into()),
    };
    let mut row = cell.labels.clone();
    row.extend([cell.seed.to_string(), state]);
    row.extend(columns.values(run));
    row.extend(
        reference
            .map(|reference| reference.fields(&cell.labels))
            .unwrap_or_default(),
    );
    row.extend(
        CIRCUMSTANCES.map(|(_, pointer)| match run.map(|run| run.result(pointer)) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }),
    );
    let segments = run.map(Finished::segments).unwrap_or_default();
    row.extend(provenance::KEYS.map(|key| provenance::values(&segments, key)));
    row.extend([cell.dir.display().to_string(), SCHEMA.to_string()]);
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
