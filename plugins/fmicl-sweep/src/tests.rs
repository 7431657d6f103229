//! A sweep over runs that are made by hand: what the grid, the table and the CSV say of them.

mod best;
mod errors;
mod grid;
mod ours;
mod provenance;
mod reference;
mod report;

use fmicl_baselines as _;
use fmicl_probes as _;
use fmicl_schedules as _;
use fmicl_text as _;
use fmicl_transforms as _;

use super::cell::Cell;
use super::file::SweepFile;
use fmicl_core::{Metric, Report};
use fmicl_runner::eval::{Judged, Reports};
use std::fs;
use std::path::Path;

const EXPERIMENT: &str = r#"
    dataset = "digits"
    backbone = { name = "resnet", width = 4 }
    architecture = "simclr"
    objective = { name = "f-micl", divergence = "kl", similarity = "gaussian" }
    optimizer = "sgd"
    train = { epochs = 1, batch_size = 8, lr = 0.1 }
"#;

const SWEEP: &str = r#"
    experiment = "x.toml"
    set = ["train.lr=0.2"]
    seeds = [0, 1]
    [[axis]]
    name = "divergence"
    key = "objective.divergence"
    values = ["kl", { name = "tsallis", alpha = 2.5 }]
    [[axis]]
    name = "size"
    values = [{ label = "small", set = ["backbone.width=2"] }, { label = "large", set = ["backbone.width=8"] }]
    [scale.tiny]
    set = ["train.batch_size=4", "backbone.width=6"]
    seeds = [5]
    [report]
    columns = "size"
    metrics = ["knn", "alignment"]
"#;

fn write(folder: &Path, sweep: &str) -> SweepFile {
    fs::write(folder.join("x.toml"), EXPERIMENT).unwrap();
    fs::write(folder.join("sweep.toml"), sweep).unwrap();
    SweepFile::read(&folder.join("sweep.toml")).unwrap()
}

/// Pretends that the run gave these numbers.
fn finish(cell: &Cell, knn: f64, alignment: f64) {
    fs::create_dir_all(&cell.dir).unwrap();
    fs::write(cell.dir.join("config.toml"), &cell.config).unwrap();
    let judged = |evaluation: &str, representation: &str, accuracy: f64| {
        let metric = |name: &str, share: f64| Metric::percent(name, share, Some(0.1));
        Judged {
            evaluation: evaluation.into(),
            representation: representation.into(),
            report: Report {
                title: "test accuracy".into(),
                metrics: vec![metric("accuracy", accuracy), metric("few-labels", 0.25)],
                main: "accuracy".into(),
                notes: vec!["weighted vote of k = 200.".into()],
                ..Report::default()
            },
        }
    };
    let representations = [
        ("raw pixels", 0.4),
        ("untrained encoder", 0.3),
        ("trained encoder", knn),
    ];
    let knn = representations.map(|(name, knn)| judged("knn", name, knn));
    let linear = representations.map(|(name, _)| judged("linear", name, 0.5));
    let reports = Reports(knn.into_iter().chain(linear).collect());
    let labels = serde_json::json!({
        "dataset": "digits", "train": 1437, "test": 360, "test_in_training": 0, "classes": 10,
    });
    let result = serde_json::json!({ "epochs": 1, "seconds": 61.0, "labels": labels, "reports": reports });
    fs::write(cell.dir.join("result.json"), result.to_string()).unwrap();
    let epochs = [(0, 0.0), (1, alignment)];
    let epochs =
        epochs.map(|(epoch, a)| serde_json::json!({ "epoch": epoch, "projections": { "alignment": a } }).to_string());
    fs::write(cell.dir.join("metrics.jsonl"), epochs.join("\n")).unwrap();
}

#[test]
fn the_verb_obeys_the_laws() {
    fmicl_runner::testing::check_command("sweep");
}

/// A sweep over this text's axes below [`EXPERIMENT`]: its cells, all of them finished.
fn finished(folder: &Path, sweep: &str) -> (SweepFile, Vec<Cell>) {
    let file = write(folder, &format!("experiment = 'x.toml'\n{sweep}"));
    let cells = crate::grid::cells(&file, None, &[], &[], folder).unwrap();
    cells.iter().for_each(|cell| finish(cell, 0.5, 0.2));
    (file, cells)
}

fn rewrite(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}
