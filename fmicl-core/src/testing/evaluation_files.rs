//! The laws of an evaluation and its files.

use super::dataset_files::check_error;
use super::{break_each_file, unit_rows};
use crate::{Error, Evaluation, LabelledFeatures, MetricNames, Part, Report, Representation, Samples, Task};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tch::{Kind, Tensor};

/// Writes the example of the evaluation that is registered as `name` to `folder`, which is empty, and lets it judge
/// random features: there must be metrics, named differently, a main one among them that is a number, and the same for the same features. Then breaks its files as
/// [`break_each_file`] does: the task must not open, with an error that names a path in `folder`, or judge.
///
/// # Panics
/// With the law that is broken, the file and what was done to it.
pub fn check_evaluation_files(name: &str, folder: &Path, seed: u64) {
    let fresh = |options| Part::<dyn Evaluation>::new(name, options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let options = fresh(toml::Table::new()).example(folder);
    let evaluation = fresh(options.unwrap_or_else(|error| panic!("the example of {name}: {error}")));
    let task = evaluation.open();
    let task = task.unwrap_or_else(|error| panic!("the example of {name} does not open: {error}"));
    let report = judge(&*task);
    check_report(name, &report, &task.metrics(false));
    assert_eq!(judge(&*task), report, "{name} has other metrics of the same features");
    break_each_file(folder, seed, || check_damaged_evaluation(&*evaluation, folder));
}

/// Checks a task whose files below `folder` may hold anything: it must not open, with an error that names a path in
/// `folder`, or judge random features.
///
/// # Panics
/// With the law that is broken.
pub fn check_damaged_evaluation(evaluation: &dyn Evaluation, folder: &Path) {
    match evaluation.open() {
        Ok(task) => drop(judge(&*task)),
        Err(error) => check_error(&error, folder),
    }
}

/// Panics unless a report has the metrics that a sweep's columns and a checkpoint's score need.
pub(super) fn check_report(name: &str, report: &Report, promised: &MetricNames) {
    let names: BTreeSet<_> = report.metrics.iter().map(|metric| &metric.name).collect();
    assert!(!names.is_empty(), "{name} has no metrics");
    assert_eq!(names.len(), report.metrics.len(), "two metrics of {name} have one name");
    check_names(name, report, promised);
    let main = report.metric(&report.main);
    let main = main.unwrap_or_else(|| panic!("{name} has no metric `{}`, which it says is the main one", report.main));
    let score = main.score();
    assert!(
        score.is_some(),
        "checkpoints cannot be compared by the main metric of {name}: {main:?}"
    );
    assert!(!report.title.is_empty(), "the report of {name} has no title");
}

/// That a report has the metrics whose names were known before it was made.
pub(super) fn check_names(name: &str, report: &Report, promised: &MetricNames) {
    assert_eq!(
        promised.main, report.main,
        "{name} has another main metric than it says"
    );
    let made = MetricNames::of(report).all;
    let other = made.iter().find(|metric| !promised.has(metric));
    assert_eq!(other, None, "{name} does not say that it has this metric");
    let missing = promised
        .all
        .iter()
        .find(|known| !known.ends_with('*') && !made.contains(known));
    assert_eq!(missing, None, "{name} says that it has this metric");
}

/// Random features, and no labels.
struct Random;

impl Representation for Random {
    fn encode(&self, samples: Arc<dyn Samples>) -> crate::Result<Tensor> {
        Ok(unit_rows(samples.len() as i64, 8, Kind::Float, 0))
    }

    fn labelled(&self) -> crate::Result<&LabelledFeatures> {
        Err(Error::Run("there are no labels".into()))
    }
}

/// The report of a task on random features.
fn judge(task: &dyn Task) -> Report {
    task.judge(&Random)
        .unwrap_or_else(|error| panic!("a task that opened cannot judge: {error}"))
}
