//! A run is evaluated in several processes: the figures are those of one, and the first process prints and writes them.

use crate::common;
use fmicl_core::{Evaluation, Part, Views};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The dataset of [`IMAGES`].
const DIGITS: &str = r#"{ name = "subset", train = 30, of = "digits" }"#;
/// Some batches in each split, of which the last is not full; a run of one process alone.
const IMAGES: &str = r#"
dataset = { name = "subset", train = 30, of = "digits" }
backbone = { name = "resnet", depth = 18, stem = "cifar", width = 4 }
architecture = { name = "simclr", out = 16 }
objective = "infonce"
optimizer = "sgd"
engine = "single"
device = "cpu"
views.size = 16
train = { epochs = 1, batch_size = 8, lr = 0.1, threads = 1 }
eval.batch_size = 16
evaluations = { knn.k = 5, linear.max_iter = 3 }
"#;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A run that one process has trained, and its folder.
fn trained(test: &str, experiment: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (file, run) = (folder.path().join("x.toml"), folder.path().join("run"));
    std::fs::write(&file, experiment).unwrap();
    printed(test, 1, &["train", text(&file), "--out", text(&run)]);
    assert!(run.join("result.json").exists());
    (folder, run)
}

/// What each process of a command that succeeds has printed, but for the test's own lines.
fn printed(test: &str, size: usize, args: &[&str]) -> Vec<String> {
    let outputs = common::finish(common::start_fmicl(test, size, args, |_, _| ()));
    let of_the_command = |(rank, output)| {
        // The first process has the log of a run.
        let said = match rank == 0 && args[0] == "train" {
            true => common::complaints(&output),
            false => common::stderr(&output),
        };
        assert_eq!(said, "", "{args:?}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        let own = |line: &&str| !line.is_empty() && !line.starts_with("running 1") && !line.starts_with("test ");
        stdout.lines().filter(own).collect::<Vec<_>>().join("\n")
    };
    outputs.into_iter().enumerate().map(of_the_command).collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn several_processes_find_the_accuracies_of_one_and_the_first_prints_them() {
    let test = "evaluation::several_processes_find_the_accuracies_of_one_and_the_first_prints_them";
    if common::rank().is_some() {
        return common::fmicl();
    }
    let (_folder, run) = trained(test, IMAGES);
    let expected = &json(&run.join("result.json"))["reports"];
    assert_eq!(expected.as_array().unwrap().len(), 6, "{expected}");
    let one = printed(test, 1, &["eval", text(&run), "--json"]);
    std::fs::remove_file(run.join("eval.json")).unwrap();
    let three = printed(test, 3, &["eval", text(&run), "--json"]);
    assert_eq!(three, [&*one[0], "", ""], "the first alone speaks, and says the same");
    assert_eq!(&json(&run.join("eval.json"))["reports"], expected);
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn several_processes_find_the_correlations_of_one() {
    let test = "evaluation::several_processes_find_the_correlations_of_one";
    if common::rank().is_some() {
        return common::fmicl();
    }
    let inputs = tempfile::tempdir().unwrap();
    let [bert, sts] = ["bert", "sts"].map(|name| inputs.path().join(name));
    let views: Part<dyn Views> = Part::new("text", toml::Table::new()).unwrap();
    views.example(&bert).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fmicl-text/golden/bert");
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(golden.join(file), bert.join(file)).unwrap();
    }
    let evaluation: Part<dyn Evaluation> = Part::new("sts", toml::Table::new()).unwrap();
    evaluation.example(&sts).unwrap();
    let sentences = inputs.path().join("sentences.txt");
    let some: String = (0..8).map(|number| format!("sentence {number}\n")).collect();
    std::fs::write(&sentences, some).unwrap();
    let (_folder, run) = trained(
        test,
        &format!(
            "dataset = {{ name = 'sentences', path = '{}' }}
            backbone = {{ name = 'bert', folder = '{bert}', pooling = 'mean' }}
            views = {{ name = 'text', tokenizer = '{bert}', max_length = 12 }}
            evaluations.sts.data = '{}'
            architecture = 'simclr'
            objective = 'infonce'
            optimizer = 'sgd'
            device = 'cpu'
            train = {{ epochs = 1, batch_size = 8, lr = 0.1, threads = 1 }}
            eval.batch_size = 2",
            sentences.display(),
            sts.display(),
            bert = bert.display()
        ),
    );
    let expected = &json(&run.join("result.json"))["reports"];
    assert!(expected[1]["metrics"][0]["value"].is_number(), "{expected}");
    printed(test, 2, &["eval", text(&run)]);
    assert_eq!(&json(&run.join("eval.json"))["reports"], expected);

    // By the evaluation alone, of the run and of the folder of published weights.
    let on_sts = ["--on", "sts", "--data", text(&sts), "--json"];
    for encoder in [&run, &bert] {
        let args = [&["eval", text(encoder)], &on_sts[..]].concat();
        let (one, two) = (printed(test, 1, &args), printed(test, 2, &args));
        assert_eq!(two, [&*one[0], ""], "{encoder:?}");
        if encoder == &run {
            let found: Value = serde_json::from_str(&two[0]).unwrap();
            assert_eq!(found["reports"][0]["metrics"], expected[1]["metrics"]);
        }
    }
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn other_data_in_one_of_the_processes_are_refused() {
    let test = "evaluation::other_data_in_one_of_the_processes_are_refused";
    if common::rank().is_some() {
        return common::fmicl();
    }
    let (_folder, run) = trained(test, &IMAGES.replace(DIGITS, r#"{ name = "uneven" }"#));
    let processes = common::start_fmicl(test, 2, &["eval", text(&run)], |_, _| ());
    for output in common::finish(processes) {
        let expected = "error: one process has 49 samples to evaluate and another 48: give all the same data\n";
        assert_eq!(common::stderr(&output), expected);
    }
    assert!(!run.join("eval.json").exists());
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn what_is_not_divided_is_refused() {
    let test = "evaluation::what_is_not_divided_is_refused";
    if common::rank().is_some() {
        return common::fmicl();
    }
    let (_folder, run) = trained(test, IMAGES);
    for command in ["embed", "features", "export"] {
        let processes = common::start_fmicl(test, 2, &[command, text(&run)], |_, _| ());
        for output in common::finish(processes) {
            let expected = format!("error: `{command}` runs in one process, but there are 2: start one\n");
            assert_eq!(common::stderr(&output), expected);
        }
    }
    assert!(!run.join("features").exists() && !run.join("backbone.safetensors").exists());
}
