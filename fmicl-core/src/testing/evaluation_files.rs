//! The laws of an evaluation and its files.

use super::dataset_files::check_error;
use super::{break_each_file, unit_rows};
use crate::{Evaluation, Part, Report, Samples, Task};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tch::{Kind, Tensor};

/// Writes the example of the evaluation that is registered as `name` to `folder`, which is empty, and lets it judge
/// random features: there must be figures, named differently, and a score, and the same for the same features. Then breaks its files as
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
    let names: BTreeSet<_> = report.figures.iter().map(|figure| &figure.name).collect();
    assert!(!names.is_empty(), "{name} has no figures");
    assert_eq!(names.len(), report.figures.len(), "two figures of {name} have one name");
    assert!(report.score.is_finite(), "{name} has the score {}", report.score);
    assert_eq!(judge(&*task), report, "{name} has other figures of the same features");
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

/// Report of a task on random features.
fn judge(task: &dyn Task) -> Report {
    let encode =
        |samples: Arc<dyn Samples>| -> crate::Result<Tensor> { Ok(unit_rows(samples.len() as i64, 8, Kind::Float, 0)) };
    task.judge(&encode)
        .unwrap_or_else(|error| panic!("a task that opened cannot judge: {error}"))
}
