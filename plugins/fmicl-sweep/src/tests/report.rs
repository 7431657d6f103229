//! The table, the CSV and the plot of runs that are made by hand.

use super::{SWEEP, finish, finished, rewrite, write};
use crate::grid;
use crate::report::Report;
use crate::summary::Summary;
use fmicl_core::Metric;
use std::fs;
use std::path::Path;

#[test]
fn the_table_has_means_spreads_the_best_and_what_it_is_compared_with() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), SWEEP);
    let cells = grid::cells(&file, None, &[], &[], folder.path()).unwrap();
    for (cell, knn) in cells.iter().zip([0.50, 0.60, 0.7, 0.7, 0.40, 0.50, 0.8]) {
        finish(cell, knn, 1.0 - knn);
    }
    fs::create_dir_all(&cells[7].dir).unwrap();
    fs::write(cells[7].dir.join("failed.txt"), "the loss is NaN\n").unwrap();
    let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let table = report.markdown().unwrap();
    let expected = "# sweep

| divergence | small knn | small alignment | large knn | large alignment |
| --- | --- | --- | --- | --- |
| largest class | 10.0 | – | 10.0 | – |
| raw pixels | 40.0 | – | 40.0 | – |
| untrained encoder | 30.0 | – | 30.0 | – |
| kl | **55.0** ± 7.1 | **0.450** ± 0.071 | 70.0 ± 0.0 | 0.300 ± 0.000 |
| tsallis alpha=2.5 | 45.0 ± 7.1 | 0.550 ± 0.071 | **80.0** (1 failed) | **0.200** (1 failed) |
";
    assert!(table.starts_with(expected), "{table}");
    assert!(
        table.contains("on 360 test samples. test accuracy. weighted vote of k = 200.\n"),
        "{table}"
    );
    assert!(
        table.ends_with("\nFailed: tsallis alpha=2.5, large, seed 1: the loss is NaN\n"),
        "{table}"
    );

    report.write(folder.path()).unwrap();
    let csv = fs::read_to_string(folder.path().join("results.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 9);
    assert!(
        lines[0].starts_with(
            "divergence,size,seed,state,knn.accuracy,knn.few-labels,linear.accuracy,linear.few-labels,train.epoch,train.alignment,train.seconds,\
             raw_pixels_knn.accuracy,"
        ),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("kl,small,0,done,50,25,50,25,1,0.5,61,40,"),
        "{}",
        lines[1]
    );
    assert!(
        lines[8].starts_with("tsallis alpha=2.5,large,1,failed: the loss is NaN,,"),
        "{}",
        lines[8]
    );

    let svg = fs::read_to_string(folder.path().join("plot.svg")).unwrap();
    roxmltree::Document::parse(&svg).unwrap();
    assert!(svg.contains("tsallis alpha=2.5, large") && !svg.contains("NaN"));
}

#[test]
fn every_kind_of_plot_is_drawn() {
    for (report, expected) in [
        ("plot = 'lines'\nx = 'batch'\nmetrics = ['knn']", "knn, %"),
        ("plot = 'scatter'\nmetrics = ['alignment', 'knn']", "alignment"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let sweep =
            "experiment = 'x.toml'\n[[axis]]\nname = 'batch'\nkey = 'train.batch_size'\nvalues = [8, 16]\n[report]\n";
        let file = write(folder.path(), &format!("{sweep}{report}"));
        let cells = grid::cells(&file, None, &[], &[], folder.path()).unwrap();
        let write = || {
            let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
            report.write(folder.path()).unwrap();
            fs::read_to_string(folder.path().join("plot.svg")).ok()
        };
        assert_eq!(write(), None, "nothing has run");
        cells
            .iter()
            .zip([0.5, 0.6])
            .for_each(|(cell, knn)| finish(cell, knn, 0.2));
        let svg = write().unwrap();
        roxmltree::Document::parse(&svg).unwrap();
        assert!(svg.contains(expected));
    }
}

#[test]
fn the_spread_is_that_of_a_sample() {
    let of = |values: &[f64]| Summary::new(values.iter().map(|value| Metric::new("x", *value, 1)).collect());
    let summary = of(&[1.0, 2.0, 4.0]).unwrap();
    assert_eq!(summary.mean, 7.0 / 3.0);
    assert!((summary.spread.unwrap() - 1.527_525_231_651_946_6).abs() < 1e-12);
    assert_eq!(of(&[1.0]).unwrap().spread, None);
    assert_eq!(of(&[]), None);
}

#[test]
fn a_collapsed_run_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let (file, cells) = finished(folder.path(), "");
    let metrics = cells[0].dir.join("metrics.jsonl");
    rewrite(
        &metrics,
        "{\"alignment\":0.2}",
        "{\"alignment\":0.2,\"effective_rank\":1.25,\"mean_cosine\":0.3,\"dimensions\":16}",
    );
    let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let expected = "seed 0: collapsed: the projections have an effective rank of 1.25 and a mean cosine of 0.30\n";
    assert!(report.markdown().unwrap().ends_with(expected));
}

#[test]
fn lines_of_an_earlier_attempt_are_not_taken_for_those_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let (file, cells) = finished(folder.path(), "");
    let metrics = cells[0].dir.join("metrics.jsonl");
    rewrite(&metrics, "\"epoch\":1", "\"epoch\":7");
    let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let error = report.markdown().unwrap_err().to_string();
    let expected =
        "metrics.jsonl: ends with epoch 7, and the run with epoch 1: remove the run's directory to run it again";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn a_damaged_line_behind_the_last_epoch_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (file, cells) = finished(folder.path(), "");
    let table = || {
        let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
        report.markdown().unwrap()
    };
    let whole = table();
    let metrics = cells[0].dir.join("metrics.jsonl");
    let mut lines = fs::read(&metrics).unwrap();
    lines.extend(b"\n\0\0\0\n{\"epoch\": 1, \"lo");
    fs::write(&metrics, lines).unwrap();
    assert_eq!(table(), whole);
}

#[test]
fn a_metric_of_any_evaluation_is_a_column_and_one_that_no_run_has_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let axis = "set = ['evaluations.again=knn']\n[report]\nmetrics = ['again.STS-B dev', 'train.alignment', 'alignment', 'again.medium']";
    let (file, cells) = finished(folder.path(), axis);
    for cell in &cells {
        let path = cell.dir.join("result.json");
        let mut result: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        result["reports"] = serde_json::json!([{
            "evaluation": "again", "representation": "trained encoder", "title": "correlation", "main": "STS-B dev", "notes": [],
            "metrics": [
                { "name": "STS-B dev", "value": 71.255, "higher_is_better": true, "digits": 2 },
                { "name": "average", "value": null, "higher_is_better": true, "digits": 2 },
                { "name": "alignment", "value": 0.5, "higher_is_better": false, "digits": 3 },
            ],
        }]);
        fs::write(path, result.to_string()).unwrap();
    }
    let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let table = report.markdown().unwrap();
    assert!(
        table.contains("|  | again.STS-B dev | train.alignment | alignment | again.medium |"),
        "{table}"
    );
    assert!(
        table.contains("|  | 71.25 | 0.200 | – | – |") || table.contains("|  | 71.26 | 0.200 | – | – |"),
        "{table}"
    );
    let ambiguous = "No column: several metrics are named `alignment`: write again.alignment or train.alignment.\n";
    assert!(table.contains(ambiguous), "{table}");
    let unknown =
        "No column: no metric named `again.medium` (did you mean `again.alignment`?); there are again.STS-B dev, ";
    assert!(table.contains(unknown), "{table}");
}
