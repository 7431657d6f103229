//! Photos of a user's own: folders without classes, and files that are no photos.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;

use fmicl_core::{Dataset, Part};
use std::path::Path;
use std::process::Command;

/// Whether a command succeeds, its stdout, and its stderr.
fn fmicl(args: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    let output = command.args(args).env("OMP_NUM_THREADS", "1").output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), stdout, stderr)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Writes `x.toml` for the photos in `photos` beside it.
fn write_experiment(folder: &Path) {
    let experiment = format!(
        "dataset = {{ name = 'image-folder', root = {:?} }}
        backbone = {{ name = 'resnet', stem = 'cifar', width = 8 }}
        architecture = 'simclr'
        objective = 'infonce'
        optimizer = 'sgd'
        device = 'cpu'
        views.size = 16
        train = {{ epochs = 1, batch_size = 4, lr = 0.1 }}",
        folder.join("photos")
    );
    std::fs::write(folder.join("x.toml"), experiment).unwrap();
}

#[test]
fn photos_without_class_folders_train_and_no_accuracy_is_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let dataset: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    dataset.example(&at("example")).unwrap();
    std::fs::rename(at("example/train/one"), at("photos")).unwrap();
    std::fs::write(at("photos/list.svg"), "").unwrap();
    write_experiment(folder.path());
    let (file, run) = (at("x.toml"), at("run"));

    let said = [
        "photos: photos without class folders have no labels\n",
        "photos: 1 left out: 1 .svg (read are .jpg ",
    ];
    let (succeeds, checked, error) = fmicl(&["check", text(&file), "--files"]);
    assert!(succeeds, "{error}");
    for line in said.into_iter().chain([
        "image-folder: 10 images to train on\n",
        "views     16 x 16 pixels, normalised by mean [0.4914, ",
        "samples   all 10 can be read\n",
    ]) {
        assert!(checked.contains(line), "{line}: {checked}");
    }

    let (succeeds, _, log) = fmicl(&["train", text(&file), "--out", text(&run)]);
    assert!(succeeds, "{log}");
    for line in said
        .into_iter()
        .chain(["the encoder is not evaluated: the experiment has no `evaluations` for its dataset"])
    {
        assert!(log.contains(line), "{line}: {log}");
    }
    let result = std::fs::read_to_string(run.join("result.json")).unwrap();
    assert!(!result.contains("reports") && !result.contains("knn"), "{result}");

    let (succeeds, written, error) = fmicl(&["features", text(&run)]);
    let files = [
        "pretrain_features.npy, ",
        "pretrain_index.npy, ",
        "pretrain_samples.csv: 10 images, 64 features\n",
    ];
    assert!(
        succeeds && files.iter().all(|name| written.contains(name)),
        "{written} {error}"
    );
    assert!(!run.join("features/pretrain_labels.npy").exists());
}

#[test]
fn a_file_that_cannot_be_read_is_named_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let dataset: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    dataset.example(&at("photos")).unwrap();
    std::fs::write(at("photos/train/two/4.png"), "").unwrap();
    write_experiment(folder.path());
    let (succeeds, checked, _) = fmicl(&["check", text(&at("x.toml"))]);
    assert!(
        succeeds && checked.contains("samples   not read; `check --files` reads every one\n"),
        "{checked}"
    );
    let (succeeds, checked, error) = fmicl(&["check", text(&at("x.toml")), "--files"]);
    let expected = format!("{}: is empty", at("photos/train/two/4.png").display());
    assert!(
        !succeeds && checked.is_empty() && error.contains(&expected),
        "{checked} {error}"
    );
    assert!(error.contains("train: 1 of 20 samples cannot be read"), "{error}");

    // Whichever two are tried with the model, all are named, and may be left out.
    for photo in 0..10 {
        std::fs::write(at(&format!("photos/train/one/{photo}.png")), "").unwrap();
    }
    let (succeeds, _, error) = fmicl(&["check", text(&at("x.toml")), "--files"]);
    assert!(
        !succeeds && error.contains("train: 11 of 20 samples cannot be read"),
        "{error}"
    );
    let skip = ["--set", "train.on_error=skip"];
    let (succeeds, checked, error) = fmicl(&[&["check", text(&at("x.toml")), "--files"][..], &skip].concat());
    assert!(
        succeeds && checked.contains("train: 11 of 20 samples cannot be read"),
        "{checked} {error}"
    );
}

#[test]
fn gray_views_train_and_their_weights_have_one_channel() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let dataset: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    dataset.example(&at("example")).unwrap();
    std::fs::rename(at("example/train/one"), at("photos")).unwrap();
    write_experiment(folder.path());
    let (file, run, weights) = (at("x.toml"), at("run"), at("gray.safetensors"));
    let gray = ["--set", "views.channels=1"];

    let (succeeds, _, error) = fmicl(&[&["check", text(&file), "--set", "views.grayscale=0.2"][..], &gray].concat());
    let expected = "views of one channel are gray already: leave it out, or set it to false";
    assert!(!succeeds && error.contains(expected), "{error}");
    let (succeeds, _, log) = fmicl(&[&["train", text(&file), "--out", text(&run)][..], &gray].concat());
    assert!(succeeds, "{log}");
    let (succeeds, _, error) = fmicl(&["export", text(&run), "--out", text(&weights)]);
    assert!(succeeds, "{error}");
    let tensors = fmicl_core::tch::Tensor::read_safetensors(&weights).unwrap();
    let (_, conv1) = tensors.into_iter().find(|(name, _)| name == "conv1.weight").unwrap();
    assert_eq!(conv1.size(), [8, 1, 3, 3]);
}
