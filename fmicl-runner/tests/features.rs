//! What a run's encoder makes of samples: `fmicl features` and `fmicl embed`.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/experiment.rs"]
mod experiment;
#[path = "support/run.rs"]
mod run;

use fmicl_core::tch::{Device, Tensor};
use fmicl_core::{Dataset, Part};
use fmicl_runner::eval;
use fmicl_runner::train::{CheckpointChoice, RunDir};
use run::{fmicl, run_of, tensors, text, train};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn features_are_those_of_the_encoder_in_the_order_of_the_dataset() {
    let (folder, run) = train(&[]);
    let printed = fmicl(&["features", text(&run)]);
    let file = run.join("features/train_features.npy");
    assert!(
        printed.starts_with(text(&file)) && printed.contains(": 24 images, 32 features\n"),
        "{printed}"
    );
    let run_dir = RunDir::open(&run).unwrap();
    let it = run_dir
        .restore(run_dir.experiment().unwrap(), Device::Cpu, &CheckpointChoice::Last)
        .unwrap();
    let data = fmicl_runner::Splits::open(&it.experiment).unwrap();
    let labelled = data.labelled.unwrap();
    let expected = eval::features(&it.experiment, &labelled.train, &it.model, it.device).unwrap();
    assert_eq!(Tensor::read_npy(file).unwrap(), expected.values);
    assert_eq!(
        Tensor::read_npy(run.join("features/train_labels.npy")).unwrap(),
        expected.labels(&*labelled.train)
    );
    assert_eq!(
        Tensor::read_npy(run.join("features/test_labels.npy")).unwrap().numel(),
        labelled.test.len()
    );
    assert!(!run.join("features/pretrain_features.npy").exists());

    let out = folder.path().join("all");
    fmicl(&[
        "features",
        text(&run),
        "--split",
        "all",
        "--format",
        "safetensors",
        "--out",
        text(&out),
    ]);
    for (split, count) in [("pretrain", 24), ("train", 24), ("test", labelled.test.len() as i64)] {
        let found = tensors(&out.join(format!("{split}.safetensors")));
        assert_eq!(found["features"].size(), [count, 32], "{split}");
        assert_eq!(found["labels"].size(), [count], "{split}");
    }
    assert_eq!(tensors(&out.join("train.safetensors"))["features"], expected.values);
}

#[test]
fn a_split_without_labels_has_features_alone() {
    let data = tempfile::tempdir().unwrap();
    let stl10: Part<dyn Dataset> = Part::new("stl10", toml::Table::new()).unwrap();
    let mut dataset = stl10.example(data.path()).unwrap();
    dataset.insert("name".into(), "stl10".into());
    let (_folder, run) = run_of(format!("dataset={}", toml::Value::Table(dataset)));
    fmicl(&["features", text(&run), "--split", "pretrain,train"]);
    let there = |name: &str| run.join("features").join(name).is_file();
    assert!(there("pretrain_features.npy") && !there("pretrain_labels.npy"));
    assert!(there("train_features.npy") && there("train_labels.npy"));
}

#[test]
fn images_that_are_named_on_stdin_become_the_vectors_of_their_dataset() {
    let data = tempfile::tempdir().unwrap();
    let photos: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    let mut dataset = photos.example(data.path()).unwrap();
    dataset.insert("name".into(), "image-folder".into());
    let (_folder, run) = run_of(format!("dataset={}", toml::Value::Table(dataset)));
    fmicl(&["features", text(&run), "--split", "test"]);
    let expected = Tensor::read_npy(run.join("features/test_features.npy")).unwrap();

    let mut photos = files_below(data.path());
    photos.retain(|path| path.to_string_lossy().contains("/val/") || path.to_string_lossy().contains("/test/"));
    photos.sort();
    let lines: String = photos.iter().map(|path| format!("{}\n", path.display())).collect();
    let printed = String::from_utf8(embed(&[text(&run)], &lines).stdout).unwrap();
    let numbers: Vec<f32> = printed
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    assert!(
        Tensor::from_slice(&numbers)
            .view(expected.size().as_slice())
            .allclose(&expected, 1e-5, 1e-6, false)
    );

    let refused = embed(&[text(&run)], "no-such.png\n");
    assert_eq!(
        String::from_utf8(refused.stderr).unwrap(),
        "error: no-such.png: is no file; give the path of an image a line\n"
    );
    let ending = embed(&[text(&run), "--out", "x.txt"], "");
    assert_eq!(ending.status.code(), Some(2));
}

/// What `fmicl embed` does with these lines.
fn embed(args: &[&str], lines: &str) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    command.arg("embed").args(args).env("OMP_NUM_THREADS", "1");
    let pipe = || std::process::Stdio::piped();
    let mut child = command.stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().unwrap();
    // It may have refused before it reads.
    let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
    child.wait_with_output().unwrap()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .collect()
}

#[test]
fn a_place_that_cannot_be_is_refused_with_what_would_work() {
    let (folder, run) = run_of("seed=0".into());
    let (file, new) = (folder.path().join("x.toml"), folder.path().join("new"));
    let in_new = |name: &str| new.join(name).display().to_string();
    let no_folder = format!(
        "there is no folder {}; make it, or name a file in another one",
        new.display()
    );
    let no_file = format!("{} is a file; name a folder, there or new", file.display());
    for (args, why) in [
        (["embed", text(&run), "--out", &in_new("x.npy")], &no_folder),
        (["export", text(&run), "--out", &in_new("x.pt")], &no_folder),
        (["features", text(&run), "--out", text(&file)], &no_file),
        (["train", text(&file), "--out", text(&file)], &no_file),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_fmicl")).args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr, format!("error: --out: {why}\n"), "{args:?}");
    }
}
