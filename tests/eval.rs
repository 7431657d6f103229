//! `fmicl eval` of a finished run: what stands beside its numbers, and which data and checkpoint it takes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "eval/apart.rs"]
mod apart;
// The crates that the program links.
#[path = "eval/checkpoints.rs"]
mod checkpoints;
#[path = "support/experiment.rs"]
mod experiment;
#[path = "eval/memory.rs"]
mod memory;
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
#[path = "support/run.rs"]
mod run;

use fmicl_core::tch::no_grad;
use fmicl_core::{Dataset, Part};
use fmicl_runner::eval::Reports;
use fmicl_runner::run::Model;
use run::{fmicl, run_with, tensors, text};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Photos in a folder a class: of the classes `one` and `two`, 10 and 10 in `train`, and 4 and 4 in `test`.
fn photos() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let photos: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    photos.example(&folder.path().join("photos")).unwrap();
    folder
}

/// The option that names them.
fn dataset(folder: &TempDir, more: &str) -> String {
    let root = folder.path().join("photos");
    format!("dataset={{name='image-folder',root='{}'{more}}}", root.display())
}

/// A run on them, with a model that was changed.
fn run_on(folder: &TempDir, more: &str, change: impl Fn(&Model)) -> (TempDir, PathBuf) {
    run_with(dataset(folder, more), change)
}

/// What `fmicl eval` prints as JSON.
fn evaluated(run: &Path, args: &[&str]) -> Value {
    let printed = fmicl(&[&["eval", text(run), "--json"], args].concat());
    let found: Value = serde_json::from_str(&printed).unwrap();
    let mut written: Value = serde_json::from_slice(&fs::read(run.join("eval.json")).unwrap()).unwrap();
    for key in ["set", "not_as_trained", "left_out", "segment"] {
        written.as_object_mut().unwrap().remove(key).unwrap();
    }
    assert_eq!(found, written);
    found
}

/// The line of a command that is refused.
fn refused(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    let output = command.args(args).env("OMP_NUM_THREADS", "1").output().unwrap();
    assert_ne!(output.status.code(), Some(0), "{args:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    lines[0].trim_start_matches("error: ").to_string()
}

#[test]
fn one_evaluation_of_a_run_has_the_options_of_its_experiment() {
    let folder = photos();
    // Of `knn` it is `k = 5`.
    let (_runs, run) = run_on(&folder, "", |_| ());
    let printed = |more: &[&str]| fmicl(&[&["eval", text(&run), "--on", "knn"], more].concat());
    assert!(printed(&[]).contains("k = 5 ("), "{}", printed(&[]));
    assert!(printed(&["--set", "k=3"]).contains("k = 3 ("));
}

#[test]
fn an_encoder_that_sees_nothing_is_worth_the_largest_class_and_half_of_two_where_they_count_alike() {
    let folder = photos();
    // Of 22 photos to train on 12 are of `one`, and of 8 for test 4.
    for index in 0..2 {
        let photo = folder.path().join("photos/train/one/0.png");
        fs::copy(&photo, photo.with_file_name(format!("more-{index}.png"))).unwrap();
    }
    fs::remove_file(folder.path().join("photos/test/two/0.png")).unwrap();
    let (_runs, run) = run_on(&folder, "", |model| {
        for (name, weight) in model.store.variables() {
            if name.starts_with("backbone.") && name.contains("bn") {
                let _ = no_grad(|| weight.shallow_clone().zero_());
            }
        }
    });
    let found = evaluated(&run, &[]);
    assert_eq!(found["labels"]["class_names"], serde_json::json!(["one", "two"]));
    let share = 400.0 / 7.0;
    let reports: Reports = serde_json::from_value(found["reports"].clone()).unwrap();
    for (name, level) in [("linear.accuracy", share), ("linear.balanced", 50.0)] {
        let (_, metric) = reports.metric("trained encoder", name).unwrap();
        assert!((metric.value - level).abs() < 1e-12, "{metric:?}");
        assert!((metric.blind.unwrap() - level).abs() < 1e-12, "{metric:?}");
        assert_eq!(metric.unit, "%");
    }
    for (name, level) in [
        ("knn.accuracy", share),
        ("knn.few-labels", share),
        ("knn.balanced", 50.0),
    ] {
        let (_, metric) = reports.metric("trained encoder", name).unwrap();
        assert!((metric.blind.unwrap() - level).abs() < 1e-12, "{metric:?}");
    }

    let table = fmicl(&["eval", text(&run)]);
    let row = |name: &str| -> Vec<String> {
        let mut lines = table
            .lines()
            .map(|line| line.split_whitespace().map(str::to_string).collect::<Vec<_>>());
        lines
            .find(|line| line.first().is_some_and(|first| first == name))
            .unwrap()
    };
    for (name, level) in [
        ("accuracy", "57.1"),
        ("few-labels", "57.1"),
        ("balanced", "50.0"),
        ("few-labels-balanced", "50.0"),
    ] {
        for evaluation in ["knn", "linear"] {
            assert_eq!(row(&format!("{evaluation}.{name}"))[1], level, "{table}");
        }
    }
    let columns = table.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(
        columns.join(" "),
        "largest class raw pixels untrained encoder trained encoder",
        "{table}"
    );
    assert_eq!(row("linear.balanced")[4..], ["50.0", "%"], "{table}");
    assert!(table.contains("always answering \"one\""), "{table}");
}

#[test]
fn it_is_said_of_the_numbers_that_the_test_images_are_training_images() {
    let folder = photos();
    let (photos, train) = (folder.path().join("photos"), folder.path().join("photos/train"));
    std::os::unix::fs::symlink(&train, photos.join("link")).unwrap();
    let seen = |test: &str| {
        let (_runs, run) = run_on(&folder, &format!(",test='{test}',links='anywhere'"), |_| ());
        let table = fmicl(&["eval", text(&run)]);
        let count = evaluated(&run, &[])["labels"]["test_in_training"].as_u64();
        (count.unwrap(), table.lines().next().unwrap().to_string())
    };
    for test in ["train", "./train", "test/../train", "link"] {
        let (count, line) = seen(test);
        assert_eq!(count, 20, "{test}");
        assert!(
            line.ends_with("on 20 test samples, all of which are training samples"),
            "{line}"
        );
    }
    let (count, line) = seen("test");
    assert_eq!(count, 0);
    assert!(line.ends_with("on 8 test samples"), "{line}");
    // A class's folder that is training's.
    fs::remove_dir_all(photos.join("test/two")).unwrap();
    std::os::unix::fs::symlink(train.join("two"), photos.join("test/two")).unwrap();
    let (count, line) = seen("test");
    assert_eq!(count, 10);
    assert!(
        line.ends_with("on 14 test samples, of which 10 are training samples"),
        "{line}"
    );
}

#[test]
fn a_run_whose_data_were_moved_is_told_where_they_are_and_what_needs_no_data_needs_none() {
    let folder = photos();
    let (_runs, run) = run_on(&folder, "", |_| ());
    let before = evaluated(&run, &[]);
    let moved = folder.path().join("moved");
    fs::rename(folder.path().join("photos"), &moved).unwrap();
    let gone = refused(&["eval", text(&run)]);
    assert!(gone.contains("photos: there is no such folder"), "{gone}");
    let root = format!("dataset.root={}", moved.display());
    let after = evaluated(&run, &["--set", &root]);
    assert_eq!(before["reports"], after["reports"]);
    assert!(!before["reports"].as_array().unwrap().is_empty());
    let written: Value = serde_json::from_slice(&fs::read(run.join("eval.json")).unwrap()).unwrap();
    assert_eq!(written["set"], serde_json::json!([root]));
    let printed = fmicl(&["features", text(&run), "--set", &root]);
    assert!(printed.contains(": 8 images, 32 features"), "{printed}");
    // An encoder needs no data.
    fmicl(&["export", text(&run)]);
    assert!(run.join("backbone.safetensors").is_file());
}

#[test]
fn how_a_run_is_judged_may_be_changed_and_its_encoder_may_not() {
    let folder = photos();
    let (_runs, run) = run_on(&folder, "", |_| ());
    let found = evaluated(&run, &["--set", "evaluations.knn.k=7", "--set", "eval.train_samples=9"]);
    assert_eq!(found["labels"]["train"].as_u64(), Some(9));
    let notes = found["reports"][0]["notes"].to_string();
    assert!(
        notes.contains("weighted vote of k = 7 (few labels: 7), temperature 0.1."),
        "{notes}"
    );
    let elsewhere = refused(&["eval", text(&run), "--set", "eval.knn.k=7"]);
    assert!(
        elsewhere.contains("unknown key here; write it as `evaluations.knn"),
        "{elsewhere}"
    );
    let table = fmicl(&["eval", text(&run), "--set", "eval.train_samples=9"]);
    for said in [
        "few-labels: up to 10 labels a class, ",
        "weighted vote of k = 5 (few labels: 5), ",
        "mean of 5 random choices of 9 samples, as 2 of 2 classes have fewer than 10.\n",
    ] {
        assert!(table.contains(said), "{table}");
    }
    let table = fmicl(&["eval", text(&run), "--set", "evaluations.knn.k=200"]);
    assert!(
        table.contains("few-labels: 10 labels a class, mean of 5 random choices.\n"),
        "{table}"
    );
    let all = "weighted vote of k = 20, which are all (few labels: 20, which are all), ";
    assert!(table.contains(all), "{table}");
    let written: Value = serde_json::from_slice(&fs::read(run.join("eval.json")).unwrap()).unwrap();
    let segment = &written["segment"];
    let ends = format!("eval {} --set evaluations.knn.k=200", text(&run));
    assert!(segment["command"].as_str().unwrap().ends_with(&ends), "{segment}");
    assert!(segment["start"].as_str() < segment["end"].as_str(), "{segment}");
    assert_eq!(
        (
            &segment["libtorch"],
            &segment["from_step"],
            segment["binary"].as_str().unwrap().len()
        ),
        (&"2.11.0".into(), &0.into(), 64)
    );
    for change in ["backbone.depth=50", "views.size=8", "train.lr=1", "seed=2"] {
        let line = refused(&["eval", text(&run), "--set", change]);
        let key = change.split('=').next().unwrap();
        assert!(
            line.starts_with(&format!(
                "--set {key}: the run is trained; where it is used, only dataset, eval,"
            )),
            "{line}"
        );
    }
    let line = refused(&["eval", text(&run), "--set", "evaluations.knn.K=7"]);
    assert!(line.contains("did you mean `k`?"), "{line}");
}

#[test]
fn another_dataset_than_was_trained_on_is_judged_with_a_warning() {
    let folder = photos();
    let (_runs, run) = run_on(&folder, "", |_| ());
    let directory = fmicl_runner::run::RunDir::open(&run).unwrap();
    let data = fmicl_runner::Splits::open(&directory.experiment().unwrap()).unwrap();
    directory.keep_portions(&data.pretrain.portions()).unwrap();
    let said = |command: &str| {
        let mut fmicl = Command::new(env!("CARGO_BIN_EXE_fmicl"));
        let output = fmicl.args([command, text(&run)]).env("OMP_NUM_THREADS", "1");
        let output = output.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let kept = || -> Value {
        let found: Value = serde_json::from_slice(&fs::read(run.join("eval.json")).unwrap()).unwrap();
        found["not_as_trained"].clone()
    };
    for command in ["eval", "features"] {
        let said = said(command);
        assert!(!said.contains("trained on"), "{said}");
    }
    assert_eq!(kept(), Value::Null);
    let photo = folder.path().join("photos/train/one/0.png");
    fs::copy(&photo, photo.with_file_name("more.png")).unwrap();
    let differs = "the dataset has 21 samples and had 20: `one` has 11 and had 10";
    for command in ["eval", "features"] {
        let said = said(command);
        let line = format!("{differs}: not what the run was trained on");
        assert!(said.contains(&line), "{said}");
    }
    assert_eq!(kept(), differs);
}

#[test]
fn of_two_that_say_the_same_none_is_passed_over() {
    for (args, expected) in [
        (
            &["eval", "x", "--on", "sts", "--data", "a", "--set", "data=b"][..],
            "--set data=b: there is --data a as well: give only one of the two",
        ),
        (
            &["eval", "x", "--device", "cpu", "--set", "device=cuda:0"],
            "--set device=cuda:0: there is --device cpu as well: give only one of the two",
        ),
        (
            &["features", "x", "--set", "device = cpu", "--device", "auto"],
            "--set device = cpu: there is --device auto as well: give only one of the two",
        ),
    ] {
        assert_eq!(refused(args), expected);
    }
}
