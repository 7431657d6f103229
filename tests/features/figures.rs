//! The figures of a run: `fmicl figures`.

use crate::run::{fmicl, text};
use crate::trained::{run_of, run_on_texts, train};
use fmicl_core::tch::no_grad;
use fmicl_core::{Dataset, Part, geometry};
use fmicl_data::Loader;
use fmicl_runner::data::trained_on;
use fmicl_runner::eval;
use fmicl_runner::run::{CheckpointChoice, Model, RunDir};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

const FILES: [&str; 6] = [
    "distances.svg",
    "distances.csv",
    "assumption-2.svg",
    "assumption-2.csv",
    "curves.svg",
    "curves.csv",
];

/// The rows of a table by column.
fn rows(path: &Path) -> Vec<HashMap<String, String>> {
    let table = std::fs::read_to_string(path).unwrap();
    let mut lines = table.lines().map(|line| line.split(','));
    let head: Vec<_> = lines.next().unwrap().map(String::from).collect();
    let row = |fields: std::str::Split<char>| head.iter().cloned().zip(fields.map(String::from)).collect();
    lines.map(row).collect()
}

/// The squared distances of an encoder and a kind of pair.
fn distances(table: &Path, encoder: &str, pairs: &str) -> Vec<f64> {
    let mut rows = rows(table);
    rows.retain(|row| row["encoder"] == encoder && row["pairs"] == pairs);
    assert!(
        rows.iter().all(|row| row["of"] == rows.len().to_string()),
        "{pairs}: some are not there"
    );
    rows.iter()
        .map(|row| row["squared_distance"].parse().unwrap())
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Whether the command succeeds, its stdout and stderr.
fn figures(run: &Path, sets: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    command
        .args(["figures", text(run)])
        .args(sets)
        .env("OMP_NUM_THREADS", "1");
    let output = command.output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), stdout, stderr)
}

#[test]
fn the_figures_of_a_run_are_of_its_own_projections_the_same_each_time() {
    let (folder, run) = train(&[
        // After so few steps of more repulsion the two histograms would have no line.
        "objective.shift=none",
        "objective.similarity.temperature=0.25",
        "dataset={name='subset',train=256,of='digits'}",
        "train={epochs=1,batch_size=32,warmup_epochs=0}",
        "evaluations={knn=false,linear=false}",
    ]);
    let printed = fmicl(&["figures", text(&run)]);
    let lines: Vec<_> = printed.lines().collect();
    let at = |file: &str| format!("{}: ", run.join("figures").join(file).display());
    for file in FILES {
        assert!(
            lines.iter().filter(|line| line.starts_with(&at(file))).count() == 1,
            "{file}: {printed}"
        );
    }

    // As the run's own views and projector make them, without the command.
    let directory = RunDir::open(&run).unwrap();
    let it = directory
        .restore(
            directory.experiment().unwrap(),
            fmicl_core::tch::Device::Cpu,
            &CheckpointChoice::Last,
        )
        .unwrap();
    let samples = trained_on(&it.experiment.dataset).unwrap().0;
    let loader = Loader::new(samples, it.experiment.views.share(), 2, 32, it.experiment.seed, 1).unwrap();
    let batch = loader.epoch(1, 0).unwrap().next().unwrap().unwrap();
    let (before, name) = eval::before_training(&it.experiment, it.device).unwrap();
    let table = run.join("figures/distances.csv");
    let mut means = Vec::new();
    for (model, encoder) in [(&it.model, eval::TRAINED), (&before, name)] {
        let project = |model: &Model, view: usize| model.learner.project(&batch.views[view]);
        let (x, y) = no_grad(|| (project(model, 0), project(model, 1)));
        let [positives, negatives] = ["positive", "negative"].map(|pairs| distances(&table, encoder, pairs));
        assert_eq!((positives.len(), negatives.len()), (32, 32 * 31 / 2));
        for sorted in [&positives, &negatives] {
            assert!(sorted.is_sorted(), "{encoder}");
        }
        let alignment = geometry::alignment(&x, &y).double_value(&[]);
        assert!((mean(&positives) - alignment).abs() < 1e-5, "{encoder}: {positives:?}");
        let cosine = geometry::mean_cosine(&x).double_value(&[]);
        assert!(
            (mean(&negatives) - (2.0 - 2.0 * cosine)).abs() < 1e-4,
            "{encoder}: {negatives:?}"
        );
        means.push(mean(&negatives));
    }
    assert!(means[0] != means[1], "the two encoders differ");

    // What is printed of the fit is what the table has.
    let ratio = rows(&run.join("figures/assumption-2.csv"));
    let sigma: f64 = ratio[0]["sigma"].parse().unwrap();
    let line = lines.iter().find(|line| line.starts_with("sigma ")).unwrap();
    let shown: f64 = line.split(' ').nth(1).unwrap().parse().unwrap();
    let error: f64 = ratio[0]["sigma_error"].parse().unwrap();
    assert!(
        (shown - sigma).abs() < 0.1 * error && sigma > 0.0,
        "{line} for {sigma} +- {error}"
    );
    assert!(
        line.contains(", the objective's 0.5;") && line.contains("R^2 "),
        "{line}"
    );
    assert_eq!(ratio[0]["objective_sigma"], "0.5");
    let positives: u64 = ratio
        .iter()
        .map(|row| row["positive_pairs"].parse::<u64>().unwrap())
        .sum();
    assert!((200..=256).contains(&positives), "all batches are counted: {positives}");

    let epochs = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let epoch: serde_json::Value = serde_json::from_str(&epochs).unwrap();
    let curves = rows(&run.join("figures/curves.csv"));
    assert_eq!((curves.len(), &*curves[0]["epoch"]), (1, "1"));
    for (column, pointer) in [
        ("loss", "/loss"),
        ("f_mi", "/f_mi"),
        ("projections/effective_rank", "/projections/effective_rank"),
    ] {
        let value: f64 = curves[0][column].parse().unwrap();
        assert!(
            (value - epoch.pointer(pointer).unwrap().as_f64().unwrap()).abs() < 1e-12,
            "{column}"
        );
    }

    let again = folder.path().join("again");
    fmicl(&["figures", text(&run), "--out", text(&again)]);
    for file in FILES {
        let [first, second] = [&run.join("figures"), &again].map(|folder| std::fs::read(folder.join(file)).unwrap());
        assert!(first == second, "{file} differs");
        assert!(!file.ends_with("svg") || first.starts_with(b"<svg"), "{file}");
    }
    assert_eq!(std::fs::read_dir(&again).unwrap().count(), FILES.len());
}

#[test]
fn every_architecture_has_pairs_and_without_metrics_the_other_figures_are_written() {
    for architecture in [
        "{name='simclr',out=16}",
        "{name='moco',out=16,queue=64}",
        "{name='moco-v3',out=16}",
    ] {
        let (_folder, run) = run_of(format!("architecture={architecture}"));
        let (succeeds, _, stderr) = figures(&run, &[]);
        assert!(!succeeds, "{architecture}");
        let last = stderr.lines().last().unwrap();
        let expected = format!(
            "error: curves not written: {}: is not there",
            run.join("metrics.jsonl").display()
        );
        assert!(last.starts_with(&expected), "{stderr}");
        let table = run.join("figures/distances.csv");
        let positives = distances(&table, eval::TRAINED, "positive");
        assert!(
            positives.len() == 8 && positives.iter().all(|&distance| distance > 0.0),
            "{positives:?}"
        );
        // There are the weights of the run with other running statistics.
        assert_ne!(positives, distances(&table, "untrained encoder", "positive"));
        assert!(!run.join("figures/curves.csv").exists());
    }
}

#[test]
fn the_views_of_a_sentence_differ_by_dropout() {
    let (_folder, run) = run_on_texts("bert");
    let (_, printed, _) = figures(&run, &[]);
    assert!(
        printed.contains("in training mode: views differ by dropout alone"),
        "{printed}"
    );
    let table = run.join("figures/distances.csv");
    let positives = distances(&table, eval::TRAINED, "positive");
    assert!(positives.iter().all(|&distance| distance > 0.0), "{positives:?}");
    assert!(run.join("figures/curves.svg").is_file());
    let first = std::fs::read(&table).unwrap();
    figures(&run, &[]);
    assert!(first == std::fs::read(&table).unwrap(), "other dropout");
}

#[test]
fn a_dataset_that_has_moved_or_shrunk_is_one_clear_line() {
    let data = tempfile::tempdir().unwrap();
    let there = data.path().join("there");
    std::fs::create_dir(&there).unwrap();
    let photos: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    let mut dataset = photos.example(&there).unwrap();
    dataset.insert("name".into(), "image-folder".into());
    let (_folder, run) = run_of(format!("dataset={}", toml::Value::Table(dataset)));
    let moved = data.path().join("moved");
    std::fs::rename(&there, &moved).unwrap();
    let written = |name: &str| run.join("figures").join(name).is_file();

    let (_, _, stderr) = figures(&run, &[]);
    let line = "error: distances and assumption-2 not written: ";
    assert!(
        stderr.lines().any(|said| said.starts_with(line)) && !written("distances.svg"),
        "{stderr}"
    );
    let set = format!("dataset.root={}", moved.display());
    let (_, _, stderr) = figures(&run, &["--set", &set]);
    assert!(
        !stderr.contains("distances and") && written("distances.svg"),
        "{stderr}"
    );

    // A line for an epoch that is over, and of 20 images 6 that are left.
    std::fs::write(run.join("metrics.jsonl"), "{\"epoch\":1,\"loss\":2.5}\n").unwrap();
    for class in ["one", "two"] {
        for image in 3..10 {
            std::fs::remove_file(moved.join(format!("train/{class}/{image}.png"))).unwrap();
        }
    }
    let (succeeds, printed, stderr) = figures(&run, &["--set", &set]);
    assert!(!succeeds);
    let few = format!("{line}the dataset has 6 samples, fewer than a batch of the run, 8\n");
    assert!(stderr.ends_with(&few), "{stderr}");
    assert!(
        written("curves.svg") && printed.contains("curves.svg: 1 metrics over 1 epochs\n"),
        "{printed}"
    );
}
