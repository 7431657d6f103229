//! Runs of the tiny experiment that were trained, on images and on texts, and one that was not changed.

use crate::experiment::EXPERIMENT;
use crate::run::{fmicl, run_with, text};
use fmicl_core::{Dataset, Part, Views};
use std::path::PathBuf;
use tempfile::TempDir;

/// A run of the experiment in a folder of its own.
pub fn train(sets: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (file, run) = (folder.path().join("x.toml"), folder.path().join("run"));
    std::fs::write(&file, EXPERIMENT).unwrap();
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    fmicl(
        &["train", text(&file), "--out", text(&run)]
            .into_iter()
            .chain(sets)
            .collect::<Vec<_>>(),
    );
    (folder, run)
}

/// A run as it would be after a step, without data and evaluation.
pub fn run_of(set: String) -> (TempDir, PathBuf) {
    run_with(set, |_| ())
}

/// A run on an example of sentences, which stays beside it.
pub fn run_on_texts(backbone: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str, mut options: toml::Table| {
        options.insert("name".into(), name.into());
        toml::Value::Table(options)
    };
    let dataset: Part<dyn Dataset> = Part::new("sentences", toml::Table::new()).unwrap();
    let dataset = named("sentences", dataset.example(&folder.path().join("data")).unwrap());
    let run = folder.path().join("run");
    let views: Part<dyn Views> = Part::new("text", toml::Table::new()).unwrap();
    let views = named("text", views.example(folder.path()).unwrap());
    let file = folder.path().join("x.toml");
    std::fs::write(&file, EXPERIMENT.replace("views.size = 16\n", "")).unwrap();
    let sets = [
        format!("dataset={dataset}"),
        format!("views={views}"),
        format!("backbone={backbone}"),
        // They have no labels.
        "evaluations.knn=false".into(),
        "evaluations.linear=false".into(),
    ];
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let args = ["train", text(&file), "--out", text(&run)];
    fmicl(&args.into_iter().chain(sets).collect::<Vec<_>>());
    (folder, run)
}
