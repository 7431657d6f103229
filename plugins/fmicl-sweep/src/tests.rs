//! A sweep over runs that are made by hand: what the grid, the table and the CSV say of them.

mod errors;
mod grid;
mod ours;
mod report;

use fmicl_baselines as _;
use fmicl_text as _;
use fmicl_transforms as _;

use super::cell::Cell;
use super::file::SweepFile;
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
    let row = |name: &str, knn: f64| {
        serde_json::json!({
            "representation": name,
            "all_labels": { "knn": knn, "linear": 0.5 },
            "few_labels": { "knn": 0.25, "linear": 0.25 },
        })
    };
    let rows = [
        row("raw pixels", 0.4),
        row("untrained encoder", 0.3),
        row("trained encoder", knn),
    ];
    let protocol = serde_json::json!({ "classes": 10, "test_images": 360, "train_images": 1437, "k": 200 });
    let result =
        serde_json::json!({ "epochs": 1, "seconds": 61.0, "evaluation": { "rows": rows, "protocol": protocol } });
    fs::write(cell.dir.join("result.json"), result.to_string()).unwrap();
    let epochs = [0.0, alignment].map(|a| serde_json::json!({ "projections": { "alignment": a } }).to_string());
    fs::write(cell.dir.join("metrics.jsonl"), epochs.join("\n")).unwrap();
}

#[test]
fn the_verb_obeys_the_laws() {
    fmicl_runner::testing::check_command("sweep");
}
