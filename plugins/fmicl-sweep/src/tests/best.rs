//! The second table: each row with what is best for it, and how sure a difference is.

use super::{finish, write};
use crate::cell::Cell;
use crate::file::SweepFile;
use crate::grid;
use crate::report::Report;
use serde_json::Value;
use std::fs;
use std::path::Path;

const AXES: &str = r#"
    experiment = "x.toml"
    seeds = [0, 1]
    [[axis]]
    name = "objective"
    values = [
        { label = "infonce, 0.1", of = "infonce", set = ["objective={ name='infonce', temperature=0.1 }"] },
        { label = "infonce, 0.5", of = "infonce", set = ["objective={ name='infonce', temperature=0.5 }"] },
        { label = "kl, 1", of = "kl", set = ["objective.alpha=1.0"] },
        { label = "kl, 2", of = "kl", set = ["objective.alpha=2.0"] },
    ]
    [report]
    metrics = ["knn", "alignment"]
    [report.best]
    axis = "objective"
    by = "knn.few-labels"
"#;

/// Pretends that the run has this accuracy, these hits of 1000 samples, and this other one to choose by.
fn judged(cell: &Cell, hits: usize, by: f64) {
    finish(cell, hits as f64 / 1000.0, 0.25);
    let path = cell.dir.join("result.json");
    let mut result: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let text: String = (0..1000).map(|sample| if sample < hits { '1' } else { '0' }).collect();
    let reports = result["reports"].as_array_mut().unwrap();
    for report in reports.iter_mut().filter(|report| report["evaluation"] == "knn") {
        report["metrics"][0]["hits"] = text.clone().into();
        report["metrics"][1]["value"] = by.into();
    }
    fs::write(&path, result.to_string()).unwrap();
}

fn table(file: &SweepFile, cells: &[Cell]) -> String {
    let report = Report::new(Path::new("sweep.toml"), file, None, cells).unwrap();
    let text = report.markdown().unwrap();
    let at = text.find("## With the best").expect("there is a second table");
    text[at..].to_string()
}

fn error(sweep: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.toml"), super::EXPERIMENT).unwrap();
    let path = folder.path().join("sweep.toml");
    fs::write(&path, sweep).unwrap();
    let error = SweepFile::read(&path).unwrap_err().to_string();
    error.split_once("sweep.toml:").unwrap().1.to_string()
}

#[test]
fn each_row_has_the_value_that_is_best_by_a_metric_and_its_difference_to_another_row() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), &AXES.replace("by = ", "against = 'infonce'\nby = "));
    let cells = grid::cells(&file, None, &[], &[], folder.path()).unwrap();
    // infonce is chosen at 0.5 by the second number, though 0.1 is better by the first; kl with alpha 1.
    let numbers = [
        (700, 20.0),
        (720, 20.0),
        (500, 30.0),
        (500, 30.0),
        (640, 40.0),
        (640, 40.0),
        (900, 10.0),
        (900, 10.0),
    ];
    for (cell, (hits, by)) in cells.iter().zip(numbers) {
        judged(cell, hits, by);
    }
    let table = table(&file, &cells);
    let begin = "## With the best objective, by knn.few-labels

| objective | best objective | knn | knn - infonce | alignment |
| --- | --- | --- | --- | --- |
| infonce | infonce, 0.5 | 50.0 ± 0.0 | – | 0.250 ± 0.000 |
| kl | kl, 1 | 64.0 ± 0.0 | +14.0 [+";
    assert!(table.starts_with(begin), "{table}");
    assert!(table.contains("paired bootstrap"), "{table}");
}

#[test]
fn without_variants_it_is_the_best_value_of_the_whole_axis_for_each_row_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = r#"
        experiment = "x.toml"
        seeds = [0]
        [[axis]]
        name = "divergence"
        key = "objective.divergence"
        values = ["kl", "js"]
        [[axis]]
        name = "alpha"
        key = "objective.alpha"
        values = [1.0, 2.0]
        [report]
        metrics = ["knn"]
        best = { axis = "alpha", by = "knn", against = "kl" }
    "#;
    let file = write(folder.path(), sweep);
    let cells = grid::cells(&file, None, &[], &[], folder.path()).unwrap();
    for (cell, hits) in cells.iter().zip([300, 400, 600]) {
        judged(cell, hits, 0.0);
    }
    // A failed run is not chosen, nor compared.
    fs::create_dir_all(&cells[3].dir).unwrap();
    fs::write(cells[3].dir.join("failed.txt"), "the loss is NaN\n").unwrap();
    let table = table(&file, &cells);
    let begin = "## With the best alpha, by knn

| divergence | best alpha | knn | knn - kl |
| --- | --- | --- | --- |
| kl | 2.0 | 40.0 | – |
| js | 1.0 (1 of 2 left out) | 60.0 | +20.0 [+";
    assert!(table.starts_with(begin), "{table}");
}

#[test]
fn what_it_cannot_choose_from_or_compare_with_is_said_at_its_line() {
    let axis = error(&AXES.replace("axis = \"objective\"", "axis = \"objectiv\""));
    assert!(
        axis.ends_with("report.best.axis: no axis named `objectiv` (did you mean `objective`?); axes: objective"),
        "{axis}"
    );
    let of = error(&AXES.replace(
        "of = \"kl\", set = [\"objective.alpha=2.0\"]",
        "set = [\"objective.alpha=2.0\"]",
    ));
    let expected = "report.best.axis: the value `kl, 2` of `objective` has no `of`, and others have: give it one, or take it from all";
    assert!(of.ends_with(expected), "{of}");
    let against = error(&AXES.replace("by = ", "against = 'infonec'\nby = "));
    assert!(
        against.ends_with("report.best.against: no row named `infonec` (did you mean `infonce`?); rows: infonce, kl"),
        "{against}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), &AXES.replace("knn.few-labels", "knm.few-labels"));
    let errors = grid::cells(&file, None, &[], &[], folder.path()).unwrap_err();
    let by = errors[0].to_string();
    assert!(
        by.contains("report.best.by: `knm.few-labels`: no run has an evaluation `knm` (did you mean `knn`?)"),
        "{by}"
    );
}
