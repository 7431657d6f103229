//! What a run's encoder makes of samples: `fmicl features`, `fmicl embed`, `fmicl figures`, `fmicl report` and `fmicl views`.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[path = "features/embed.rs"]
mod embed;
#[path = "support/experiment.rs"]
mod experiment;
#[path = "features/figures.rs"]
mod figures;
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
#[path = "features/report.rs"]
mod report;
#[path = "support/run.rs"]
mod run;
#[path = "support/trained.rs"]
mod trained;

use fmicl_core::tch::{Device, Tensor};
use fmicl_core::{Dataset, Part};
use fmicl_runner::eval::{self, Origin};
use fmicl_runner::run::{CheckpointChoice, RunDir};
use run::{fmicl, tensors, text};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use trained::{run_of, train};

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
    let data = fmicl_runner::Splits::open(&run_dir.experiment().unwrap()).unwrap();
    let labelled = data.labelled.unwrap();
    let origin = Origin::find(&run, &[], &CheckpointChoice::Last).unwrap();
    let subject = origin.open(Device::Cpu, &eval::alone()).unwrap();
    let expected = eval::features(&subject, &labelled.train).unwrap();
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
fn all_splits_of_a_dataset_without_labels_are_one_and_one_class_is_no_label() {
    let data = tempfile::tempdir().unwrap();
    let photos: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    let mut dataset = photos.example(data.path()).unwrap();
    dataset.insert("name".into(), "image-folder".into());
    for gone in ["train/two", "test", "val"] {
        let _ = std::fs::remove_dir_all(data.path().join(gone));
    }
    let (_folder, run) = run_of(format!("dataset={}", toml::Value::Table(dataset)));
    for args in [&["--split", "all"][..], &[]] {
        let printed = fmicl(&[&["features", text(&run)], args].concat());
        assert!(
            printed.contains("pretrain_features.npy") && printed.contains(": 10 images, 32 features\n"),
            "{printed}"
        );
    }
    let files = files_below(&run.join("features"));
    let mut names: Vec<_> = files
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap())
        .collect();
    names.sort();
    let expected = ["pretrain_features.npy", "pretrain_index.npy", "pretrain_samples.csv"];
    assert_eq!(names, expected);
    let table = std::fs::read_to_string(run.join("features/pretrain_samples.csv")).unwrap();
    assert_eq!(table.lines().next(), Some("sample,file"));

    // A split that is not there is found before any is written.
    std::fs::remove_dir_all(run.join("features")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    let output = command
        .args(["features", text(&run), "--split", "pretrain,test"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(files_below(&run.join("features")).is_empty());
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

#[test]
fn samples_that_cannot_be_read_are_left_out_listed_and_counted_and_the_others_are_written() {
    let data = tempfile::tempdir().unwrap();
    let photos: Part<dyn Dataset> = Part::new("imagenet", toml::Table::new()).unwrap();
    let mut dataset = photos.example(data.path()).unwrap();
    dataset.insert("name".into(), "imagenet".into());
    let (_folder, run) = run_of(format!("dataset={}", toml::Value::Table(dataset)));
    let read = |name: &str| Tensor::read_npy(run.join("features").join(name)).unwrap();
    let lines = |name: &str| -> Vec<String> {
        let text = std::fs::read_to_string(run.join("features").join(name)).unwrap();
        text.lines().map(str::to_string).collect()
    };
    let skipped = run.join("features/train_skipped.jsonl");
    fmicl(&["features", text(&run)]);
    let whole = read("train_features.npy");
    assert_eq!((whole.size()[0], skipped.exists()), (20, false));
    let indices = |name: &str| Vec::<i64>::try_from(read(name)).unwrap();
    assert_eq!(indices("train_index.npy"), (0..20).collect::<Vec<_>>());

    // The fourth photo is cut short, and the twelfth is none.
    let photo = |name: &str| data.path().join("train").join(name);
    let short = photo("n01440764/n01440764_3.JPEG");
    let bytes = std::fs::read(&short).unwrap();
    std::fs::write(&short, &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(photo("n01443537/n01443537_1.JPEG"), "no photo").unwrap();
    let left: Vec<i64> = (0..20).filter(|index| ![3, 11].contains(index)).collect();
    let expected = whole.index_select(0, &Tensor::from_slice(&left));
    let args = ["features", text(&run), "--set", "train.on_error=skip"];
    let printed = fmicl(&args);
    assert!(
        printed.contains(": 18 images, 32 features, and 2 that cannot be read\n") && printed.contains(text(&skipped)),
        "{printed}"
    );
    assert_eq!(read("train_features.npy"), expected);
    assert_eq!(indices("train_index.npy"), left);
    assert_eq!(read("train_labels.npy").numel(), 18);
    let listed = lines("train_skipped.jsonl");
    assert!(
        listed.len() == 2 && listed[0].starts_with("{\"sample\":3,\"error\":\""),
        "{listed:?}"
    );
    assert!(listed[1].contains("n01443537_1.JPEG: "), "{listed:?}");
    // A line a row, with the class's name and the file.
    let table = lines("train_samples.csv");
    assert_eq!((table.len(), table[0].as_str()), (19, "sample,label,class,file"));
    let file = photo("n01443537/n01443537_2.JPEG");
    assert_eq!(table[11], format!("12,1,n01443537,{}", file.display()));

    // All of that is there where it is an error, too.
    std::fs::remove_dir_all(run.join("features")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    let output = command
        .args(["features", text(&run)])
        .env("OMP_NUM_THREADS", "1")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr
            .lines()
            .last()
            .unwrap()
            .starts_with("error: 2 of 28 samples cannot be read: the rows of the others are written"),
        "{stderr}"
    );
    assert_eq!(read("train_features.npy"), expected);
    assert_eq!(read("test_features.npy").size(), [8, 32]);

    // Once the photos are back, the list of an earlier call is gone.
    std::fs::write(&short, &bytes).unwrap();
    std::fs::write(photo("n01443537/n01443537_1.JPEG"), &bytes).unwrap();
    fmicl(&["features", text(&run)]);
    assert!(!skipped.exists());
    fmicl(&["features", text(&run), "--format", "safetensors"]);
    assert_eq!(tensors(&run.join("features/train.safetensors"))["index"].numel(), 20);
}

#[test]
fn other_images_and_a_file_of_weights_have_features_too() {
    let (folder, run) = train(&[]);
    fmicl(&["features", text(&run)]);
    let weights = folder.path().join("backbone.safetensors");
    fmicl(&["export", text(&run), "--out", text(&weights)]);
    let out = folder.path().join("other");
    for encoder in [&run, &weights] {
        fmicl(&["features", text(encoder), "--data", text(&run), "--out", text(&out)]);
        for split in ["train", "test"] {
            let name = format!("{split}_features.npy");
            let own = Tensor::read_npy(run.join("features").join(&name)).unwrap();
            assert_eq!(Tensor::read_npy(out.join(&name)).unwrap(), own);
        }
    }
    let printed = fmicl(&[
        "features",
        text(&weights),
        "--data",
        "digits",
        "--split",
        "test",
        "--out",
        text(&out),
    ]);
    assert!(printed.contains(": 360 images, 32 features"), "{printed}");
}
