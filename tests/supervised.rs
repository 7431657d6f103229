//! Evaluations that train with labels, of a finished run and within `train`.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/experiment.rs"]
mod experiment;
// The crates that the program links.
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
#[path = "support/run.rs"]
mod run;

use fmicl_core::{Dataset, Part};
use run::{fmicl, run_with, tensors, text};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `fmicl eval --on` prints as JSON: the one report.
fn on(run: &Path, evaluation: &str, sets: &[&str]) -> Value {
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let args: Vec<_> = ["eval", text(run), "--json", "--on", evaluation]
        .into_iter()
        .chain(sets)
        .collect();
    let printed: Value = serde_json::from_str(&fmicl(&args)).unwrap();
    printed["reports"][0].clone()
}

fn value(report: &Value, name: &str) -> f64 {
    let mut metrics = report["metrics"].as_array().unwrap().iter();
    let found = metrics.find(|metric| metric["name"] == name);
    found.unwrap_or_else(|| panic!("{report} has no {name}"))["value"]
        .as_f64()
        .unwrap()
}

/// The one line of a command that is refused.
fn refused(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_fmicl")).args(args).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    stderr.trim_end().to_string()
}

/// A run on digits, of which the training split has 240.
fn digits() -> (tempfile::TempDir, PathBuf) {
    run_with("dataset.train=240".into(), |_| ())
}

#[test]
fn a_network_is_trained_from_a_copy_and_its_file_starts_another_run() {
    let (folder, run) = digits();
    let files = |folder: &Path| -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    };
    let checkpoint = || -> Vec<Vec<u8>> {
        let folders = files(&run.join("checkpoints")).into_iter().filter(|path| path.is_dir());
        folders
            .flat_map(|folder| files(&folder))
            .map(|file| fs::read(file).unwrap())
            .collect()
    };
    let before = checkpoint();
    let net = folder.path().join("net.safetensors");
    let save = format!("save={}", text(&net));
    let sets = [
        "epochs=15",
        "batch_size=16",
        "lr=0.5",
        "crop=[0.8, 1]",
        "labels=0.5",
        "held_out=0.2",
        "flip=0",
        &save,
    ];
    let report = on(&run, "finetune", &sets);
    assert!(
        value(&report, "accuracy") > 20.0 && value(&report, "top-5") > value(&report, "accuracy"),
        "{report}"
    );
    assert_eq!(report, on(&run, "finetune", &sets), "the same each time");
    assert!(!before.is_empty() && before == checkpoint(), "the run is as it was");

    // The backbone by the names of `export`, and the classifier.
    let exported = folder.path().join("backbone.safetensors");
    fmicl(&["export", text(&run), "--out", text(&exported)]);
    let (saved, exported) = (tensors(&net), tensors(&exported));
    assert_eq!(saved.len(), exported.len() + 2);
    assert!(
        exported
            .iter()
            .all(|(name, tensor)| saved[name].size() == tensor.size() && saved[name] != *tensor)
    );
    assert_eq!(saved["fc.weight"].size()[0], 10);
    // With steps of next to nothing, it is the run's backbone but for its running statistics.
    on(&run, "finetune", &["epochs=1", "lr=1e-12", &save]);
    let began = tensors(&net);
    for (name, tensor) in exported.iter().filter(|(name, _)| !name.contains("running")) {
        assert!(
            began[name].allclose(tensor, 0.0, 1e-6, false),
            "{name} is not the run's"
        );
    }
    let file = folder.path().join("x.toml");
    let init = format!("init={}", text(&net));
    let checked = fmicl(&["check", text(&file), "--set", &init]);
    assert!(checked.contains("left out fc.bias, fc.weight"), "{checked}");
}

#[test]
fn a_linear_layer_is_trained_with_crops_and_on_features() {
    let (_folder, run) = digits();
    let common = ["epochs=8", "batch_size=32", "lr=[0.1, 1, 10]"];
    let augmented = on(&run, "linear-sgd", &common);
    let cached = on(&run, "linear-sgd", &[&common[..], &["augment=false"]].concat());
    for report in [&augmented, &cached] {
        assert!([0.1, 1.0, 10.0].contains(&value(report, "lr")), "{report}");
        assert!(
            value(report, "held-out") > 0.0 && value(report, "top-5") > value(report, "accuracy"),
            "{report}"
        );
    }
    assert_ne!(augmented["metrics"][0]["hits"], cached["metrics"][0]["hits"]);
    assert_eq!(augmented, on(&run, "linear-sgd", &common), "the same each time");
    let error = refused(&["eval", text(&run), "--on", "linear-sgd", "--set", "lr=[]"]);
    assert_eq!(
        error,
        "error: --set lr=[]: evaluations.linear-sgd.lr: has no rate; [0.1] has one"
    );
}

#[test]
fn training_does_not_wait_for_what_trains_and_does_not_choose_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let (file, run) = (folder.path().join("x.toml"), folder.path().join("run"));
    let evaluations = "\nevaluations.finetune = { epochs = 1, batch_size = 8 }\nevaluations.linear-sgd = { epochs = 1, batch_size = 8 }\neval.every = 1\n";
    let text_of = experiment::EXPERIMENT.replace(
        "evaluations = { knn.k = 5, linear.max_iter = 3 }",
        "evaluations.knn.k = 5\nevaluations.linear = false",
    );
    fs::write(&file, text_of + evaluations).unwrap();
    let error = refused(&[
        "train",
        text(&file),
        "--out",
        text(&run),
        "--set",
        "eval.best=finetune.accuracy",
    ]);
    assert!(error.contains("no metric named `finetune.accuracy`"), "{error}");
    let list = folder.path().join("list.txt");
    fs::write(&list, "a.png\n").unwrap();
    let labels = format!("evaluations.finetune.labels={}", text(&list));
    let error = refused(&["train", text(&file), "--out", text(&run), "--set", &labels]);
    assert!(
        error.contains("have none; take a share, such as labels = 0.1"),
        "{error}"
    );

    fmicl(&["train", text(&file), "--out", text(&run), "--set", "train.epochs=2"]);
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    for line in metrics.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let online: Vec<_> = line["evaluations"].as_object().unwrap().keys().collect();
        assert_eq!(online, ["knn"]);
    }
    let result: Value = serde_json::from_slice(&fs::read(run.join("result.json")).unwrap()).unwrap();
    let reports = result["reports"].as_array().unwrap();
    let of = |evaluation: &str| -> Vec<_> {
        let own = reports.iter().filter(|report| report["evaluation"] == evaluation);
        own.map(|report| report["representation"].as_str().unwrap()).collect()
    };
    assert_eq!(of("finetune"), ["untrained encoder", "trained encoder"]);
    assert_eq!(of("linear-sgd"), ["untrained encoder", "trained encoder"]);
    assert_eq!(of("knn"), ["raw pixels", "untrained encoder", "trained encoder"]);
}

#[test]
fn photos_are_chosen_by_their_names_and_broken_ones_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let photos: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    let root = folder.path().join("photos");
    photos.example(&root).unwrap();
    let dataset = format!("dataset={{name='image-folder',root='{}'}}", root.display());
    let (_folder, run) = run_with(dataset, |_| ());
    let list = folder.path().join("1percent.txt");
    let labels = format!("labels={}", text(&list));
    let names = (0..10).flat_map(|number| ["one", "two"].map(|class| format!("{class}/{number}.png\n")));
    fs::write(&list, names.collect::<String>()).unwrap();
    let sets = ["epochs=2", "batch_size=8", &*labels];
    let report = on(&run, "finetune", &sets);
    assert!(
        report["notes"][0]
            .as_str()
            .unwrap()
            .contains("on 20 labelled training samples (those of "),
        "{report}"
    );

    fs::write(&list, "one/0.png\ntwo/99.png\n").unwrap();
    let error = refused_with_any_code(&run, &labels);
    assert!(
        error.ends_with("names two/99.png, and no labelled training sample is that file"),
        "{error}"
    );
    fs::write(&list, "0.png\n").unwrap();
    let error = refused_with_any_code(&run, &labels);
    assert!(
        error.ends_with("several training samples are such files; put the folder before it"),
        "{error}"
    );

    // A photo of each split cannot be read.
    for broken in ["train/one/0.png", "test/two/0.png"] {
        fs::write(root.join(broken), "no image").unwrap();
    }
    let error = refused_with_any_code(&run, "labels=1.0");
    assert!(error.contains("on_error"), "{error}");
    let sets = [
        "train.on_error=skip",
        "evaluations.knn=false",
        "evaluations.linear=false",
    ];
    let trains = "evaluations={finetune={epochs=2,batch_size=8},linear-sgd={epochs=2,batch_size=8}}";
    let sets = sets.iter().chain([&trains]).flat_map(|set| ["--set", set]);
    let args: Vec<_> = ["eval", text(&run), "--json"].into_iter().chain(sets).collect();
    let found: Value = serde_json::from_str(&fmicl(&args)).unwrap();
    for report in found["reports"].as_array().unwrap() {
        let hits = report["metrics"][0]["hits"].as_str().unwrap();
        assert_eq!(hits.len(), 7, "{report}");
    }
}

/// The line of `eval --on finetune` that fails.
fn refused_with_any_code(run: &Path, set: &str) -> String {
    let args = [
        "eval",
        text(run),
        "--on",
        "finetune",
        "--set",
        "epochs=1",
        "--set",
        "batch_size=4",
        "--set",
        set,
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_fmicl")).args(args).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    stderr.trim_end().to_string()
}

#[test]
fn what_pre_training_freezes_is_fine_tuned_too() {
    let set = "backbone={name='vit',width=16,depth=1,heads=2}";
    let (folder, run) = run_with(set.into(), |_| ());
    let [net, own] = ["net.safetensors", "own.safetensors"].map(|name| folder.path().join(name));
    fmicl(&["export", text(&run), "--out", text(&own)]);
    let save = format!("save={}", text(&net));
    on(&run, "finetune", &["epochs=1", "batch_size=8", "lr=1", &save]);
    let (own, net) = (tensors(&own), tensors(&net));
    for name in ["pos_embed", "patch_embed.proj.weight"] {
        assert_ne!(own[name], net[name], "{name}");
    }
}
