//! What a run is good for afterwards: features, exports, and weights to start from.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use fmicl_core::registry;
use fmicl_core::tch::{CModule, Device, Kind, Tensor, no_grad};
use fmicl_core::{Backbone, Dataset, Modality, Part, Views};
use fmicl_runner::train::{Model, RunDir, Snapshot, TrainOptions};
use fmicl_runner::{config, eval};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const EXPERIMENT: &str = r#"
dataset = { name = "subset", train = 24, of = "digits" }
backbone = { name = "resnet", depth = 18, stem = "cifar", width = 4 }
architecture = { name = "simclr", out = 16 }
objective = { name = "f-micl", divergence = "kl", similarity = "gaussian" }
optimizer = "sgd"
device = "cpu"
views.size = 16
train = { epochs = 1, batch_size = 8, lr = 0.01 }
eval = { knn.k = 5, linear.max_iter = 3 }
"#;

/// The stdout of a command that succeeds.
fn fmicl(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    // Tests run side by side: libtorch's threads would only get in each other's way.
    let output = command.args(args).env("OMP_NUM_THREADS", "1").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A run of the experiment in a folder of its own.
fn train(sets: &[&str]) -> (TempDir, PathBuf) {
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
fn run_of(set: String) -> (TempDir, PathBuf) {
    run_with(set, |_| ())
}

/// The like, with a model that was changed.
fn run_with(set: String, change: impl Fn(&Model)) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (file, run) = (folder.path().join("x.toml"), folder.path().join("run"));
    std::fs::write(&file, EXPERIMENT).unwrap();
    let experiment = config::load(&file, &[set]).unwrap();
    let model = Model::build(&experiment, Device::Cpu).unwrap();
    // Running statistics of its own.
    let _ = no_grad(|| model.learner.encoder().forward(&images(4, 16).into(), true));
    let options = TrainOptions {
        out: Some(run.clone()),
        name: "x".into(),
        ..TrainOptions::default()
    };
    change(&model);
    let directory = RunDir::create(&options, &experiment, model.bytes(), None).unwrap();
    directory.save(Snapshot::of(&model)).unwrap();
    (folder, run)
}

fn backbone(name: &str) -> Part<dyn Backbone> {
    Part::new(name, toml::Table::new()).unwrap()
}

/// A run on an example of sentences.
fn run_on_texts(backbone: &str) -> (TempDir, PathBuf) {
    let data = tempfile::tempdir().unwrap();
    let named = |name: &str, mut options: toml::Table| {
        options.insert("name".into(), name.into());
        toml::Value::Table(options)
    };
    let dataset: Part<dyn Dataset> = Part::new("sentences", toml::Table::new()).unwrap();
    let dataset = named("sentences", dataset.example(data.path()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let views: Part<dyn Views> = Part::new("text", toml::Table::new()).unwrap();
    let views = named("text", views.example(folder.path()).unwrap());
    let file = folder.path().join("x.toml");
    std::fs::write(&file, EXPERIMENT.replace("views.size = 16\n", "")).unwrap();
    let sets = [
        format!("dataset={dataset}"),
        format!("views={views}"),
        format!("backbone={backbone}"),
    ];
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let args = ["train", text(&file), "--out", text(&run)];
    fmicl(&args.into_iter().chain(sets).collect::<Vec<_>>());
    (folder, run)
}

fn tensors(path: &Path) -> HashMap<String, Tensor> {
    Tensor::read_safetensors(path).unwrap().into_iter().collect()
}

fn restore(run: &Path) -> Model {
    RunDir::open(run).unwrap().restore(None).unwrap().model
}

/// What the run's encoder makes of images.
fn encode(run: &Path, images: &Tensor) -> Tensor {
    no_grad(|| {
        restore(run)
            .learner
            .encoder()
            .forward(&images.shallow_clone().into(), false)
    })
}

/// Images that Python makes too.
fn images(count: i64, size: i64) -> Tensor {
    Tensor::arange(count * 3 * size * size, (Kind::Float, Device::Cpu))
        .sin()
        .view([count, 3, size, size])
}

/// The features of a TorchScript file in Python, for 1 and for 5 images.
const PYTHON: &str = "
import sys, torch
model = torch.jit.load(sys.argv[1]).eval()
size = int(sys.argv[2])
for count in 1, 5:
    images = torch.arange(count * 3 * size * size, dtype=torch.float32).sin().view(count, 3, size, size)
    print(*model(images).flatten().tolist())
";

/// The features as Python computes them, where the project's own PyTorch is there; a libtorch of the user's own may have
/// no Python.
fn in_python(script: &Path, size: i64) -> Option<Vec<Vec<f32>>> {
    let libtorch = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.libtorch");
    if !libtorch.join("torch/__init__.py").is_file() {
        return None;
    }
    let mut python = Command::new("python3");
    python
        .env("PYTHONPATH", libtorch)
        .args(["-c", PYTHON, text(script), &size.to_string()]);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let numbers = |line: &str| line.split(' ').map(|number| number.parse().unwrap()).collect();
    Some(String::from_utf8(output.stdout).unwrap().lines().map(numbers).collect())
}

#[test]
fn every_backbone_as_torchscript_gives_the_same_features_here_and_in_python() {
    let of = |modality| {
        let reads = move |part: &registry::Listing| backbone(part.name).modality() == modality;
        registry::list::<dyn Backbone>().into_iter().filter(reads)
    };
    // Sentences have any length, and a trace keeps the one that it saw.
    for part in of(Modality::Texts) {
        let (_folder, run) = run_on_texts(part.name);
        fmicl(&["export", text(&run)]);
        let exported = tensors(&run.join("backbone.safetensors"));
        assert!(
            exported.keys().all(|name| !name.starts_with("backbone.")),
            "{}",
            part.name
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
        let output = command
            .args(["export", text(&run), "--out", text(&run.join("x.pt"))])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            stderr.contains("number of samples or tokens") && stderr.contains("safetensors"),
            "{stderr}"
        );
        assert!(!run.join("x.pt").exists());
    }
    for part in of(Modality::Images) {
        let (folder, run) = run_of(format!("backbone={}", part.name));
        let script = folder.path().join("backbone.pt");
        assert!(fmicl(&["export", text(&run), "--out", text(&script)]).contains("backbone.pt: "));
        let expected = [1, 5].map(|count| encode(&run, &images(count, 16)));
        let module = CModule::load(&script).unwrap();
        let found = [1, 5].map(|count| module.forward_ts(&[images(count, 16)]).unwrap());
        let in_python = in_python(&script, 16);
        for (index, expected) in expected.iter().enumerate() {
            assert!(expected.allclose(&found[index], 1e-5, 1e-5, false), "{}", part.name);
            if let Some(python) = &in_python {
                let python = Tensor::from_slice(&python[index]).view_as(expected);
                assert!(expected.allclose(&python, 1e-5, 1e-5, false), "{} in Python", part.name);
            }
        }
    }
}

#[test]
fn features_are_those_of_the_encoder_in_the_order_of_the_dataset() {
    let (folder, run) = train(&[]);
    let printed = fmicl(&["features", text(&run)]);
    let file = run.join("features/train_features.npy");
    assert!(
        printed.starts_with(text(&file)) && printed.contains(": 24 images, 32 features\n"),
        "{printed}"
    );
    let it = RunDir::open(&run).unwrap().restore(None).unwrap();
    let data = fmicl_runner::Splits::open(&it.experiment).unwrap();
    let labelled = data.labelled.unwrap();
    let expected = eval::features(&it.experiment, &labelled.train, &it.model, it.device).unwrap();
    assert_eq!(Tensor::read_npy(file).unwrap(), expected.values);
    assert_eq!(
        Tensor::read_npy(run.join("features/train_labels.npy")).unwrap(),
        expected.labels
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
fn an_export_has_the_backbone_alone_and_starts_another_run() {
    let (folder, run) = train(&[]);
    let file = folder.path().join("w.safetensors");
    fmicl(&["export", text(&run), "--out", text(&file)]);
    let exported = tensors(&file);
    let images = images(2, 16);
    let expected = encode(&run, &images);
    for name in ["conv1.weight", "layer1.0.bn1.running_var", "layer4.1.conv2.weight"] {
        assert!(exported.contains_key(name), "{name}");
    }
    assert!(
        !exported
            .keys()
            .any(|name| name.contains("projector") || name.contains("backbone"))
    );

    // From the export and from the checkpoint itself, under an architecture with a copy of the backbone.
    let checkpoint = RunDir::open(&run).unwrap().last_checkpoint().unwrap();
    for init in [&file, &checkpoint] {
        let (_folder, next) = train(&[&format!("init={}", text(init)), "architecture={name='moco',queue=32}"]);
        assert_eq!(tensors(&next.join("init.safetensors")), exported);
        let log = std::fs::read_to_string(next.join("log.txt")).unwrap();
        let note = format!("the backbone starts with 100 weights of {}", init.display());
        assert!(log.contains(&note), "{log}");
        let result: serde_json::Value =
            serde_json::from_slice(&std::fs::read(next.join("result.json")).unwrap()).unwrap();
        assert_eq!(result["evaluation"]["rows"][1]["representation"], "initial encoder");

        // Built again, it is what it was, the momentum copy too.
        let experiment = config::load(&next.join("config.toml"), &[]).unwrap();
        let model = Model::build(&experiment, Device::Cpu).unwrap();
        let features = no_grad(|| model.learner.encoder().forward(&images.shallow_clone().into(), false));
        assert_eq!(features, expected);
        let variables = model.store.variables();
        for (name, weight) in &exported {
            assert_eq!(&variables[&format!("momentum.backbone.{name}")], weight, "{name}");
        }
    }
}

#[test]
fn a_run_that_started_with_a_file_needs_it_no_more_and_can_be_moved() {
    let (folder, run) = train(&[]);
    let file = folder.path().join("w.safetensors");
    fmicl(&["export", text(&run), "--out", text(&file)]);
    let (next_folder, next) = train(&[&format!("init={}", text(&file))]);
    std::fs::remove_file(&file).unwrap();
    let moved = next_folder.path().join("moved");
    std::fs::rename(&next, &moved).unwrap();
    let printed = fmicl(&["eval", text(&moved)]);
    assert!(printed.contains("\ninitial encoder "), "{printed}");
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(moved.join(name)).unwrap()).unwrap()
    };
    assert_eq!(
        read("eval.json")["evaluation"]["rows"],
        read("result.json")["evaluation"]["rows"]
    );
}

#[test]
fn a_run_that_diverged_is_not_exported() {
    let (_folder, run) = run_with("seed=0".into(), |model| {
        let weight = &model.store.variables()["backbone.bn1.weight"];
        let _ = no_grad(|| weight.shallow_clone().fill_(f64::INFINITY));
    });
    for format in ["safetensors", "torchscript"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
        let output = command
            .args(["export", text(&run), "--format", format])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            stderr,
            "error: the encoder's features are not finite: training diverged; try a lower train.lr\n"
        );
    }
    let left = std::fs::read_dir(&run).unwrap().filter_map(|entry| entry.ok());
    assert!(
        !left
            .into_iter()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("backbone"))
    );
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
