//! Runs that begin with published weights of an encoder of texts, and what they are good for when those are gone.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
#[path = "support/published.rs"]
mod published;

use fmicl_core::{Dataset, Evaluation, Part};
use published::published;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whether a command succeeds, its stdout, and its stderr.
fn output(args: &[&str], stdin: &str) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    command.args(args).env("OMP_NUM_THREADS", "1");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), stdout, stderr)
}

/// The stdout of a command that succeeds.
fn fmicl(args: &[&str], stdin: &str) -> String {
    let (succeeds, stdout, stderr) = output(args, stdin);
    assert!(succeeds, "{args:?}: {stderr}");
    stdout
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Options that read an example, as they are written in an experiment.
fn written(name: &str, options: toml::Table) -> toml::Value {
    let name = [("name".to_string(), toml::Value::from(name))];
    toml::Value::Table(name.into_iter().chain(options).collect())
}

/// An experiment from the weights in `bert`, on a dataset's example in `folder`.
fn experiment(folder: &Path, bert: &Path, more: &str) -> String {
    let dataset: Part<dyn Dataset> = Part::new("sentences", toml::Table::new()).unwrap();
    let dataset = written("sentences", dataset.example(&folder.join("data")).unwrap());
    format!(
        "dataset = {dataset}
        backbone = {{ name = 'bert', folder = '{bert}', pooling = 'mean' }}
        views = {{ name = 'text', tokenizer = '{bert}', max_length = 12 }}
        architecture = 'simclr'
        objective = 'infonce'
        optimizer = 'sgd'
        device = 'cpu'
        train = {{ epochs = 1, batch_size = 8, lr = 0.1 }}
        {more}",
        bert = bert.display()
    )
}

#[test]
fn a_run_from_published_weights_needs_their_folder_no_more_and_can_be_moved() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let bert = published(folder.path());
    let sts: Part<dyn Evaluation> = Part::new("sts", toml::Table::new()).unwrap();
    let sts = written("sts", sts.example(&at("sts")).unwrap());
    let evaluations = format!("evaluations.sts = {sts}");
    std::fs::write(at("x.toml"), experiment(folder.path(), &bert, &evaluations)).unwrap();
    fmicl(&["train", text(&at("x.toml")), "--out", text(&at("run"))], "");
    let lines = "a b\nc\n";
    let before = fmicl(&["embed", text(&at("run"))], lines);
    let untrained = fmicl(&["embed", text(&bert), "--set", "backbone.pooling=mean"], lines);
    assert_ne!(before, untrained, "training changed the encoder");

    std::fs::remove_dir_all(&bert).unwrap();
    std::fs::rename(at("run"), at("moved")).unwrap();
    let moved = at("moved");
    assert_eq!(fmicl(&["embed", text(&moved)], lines), before);
    fmicl(&["export", text(&moved)], "");
    fmicl(&["eval", text(&moved)], "");
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(moved.join(name)).unwrap()).unwrap()
    };
    assert_eq!(read("eval.json")["reports"], read("result.json")["reports"]);

    // All digits of what was trained, by the evaluation alone.
    let printed = fmicl(
        &[
            "eval",
            text(&moved),
            "--on",
            "sts",
            "--data",
            text(&at("sts")),
            "--json",
        ],
        "",
    );
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let trained = &read("result.json")["reports"][1];
    assert_eq!(trained["representation"], "trained encoder");
    assert_eq!(printed["reports"][0]["metrics"], trained["metrics"]);
    assert!(printed["weights"].as_str().unwrap().starts_with(text(&moved)));

    // It can be looked at, and goes on, by its own config and by the experiment that it began with.
    let replayed = fmicl(&["replay", text(&moved), "--step", "1"], "");
    assert!(replayed.ends_with("everything is finite\n"), "{replayed}");
    let longer = |epochs: &str| format!("train.epochs={epochs}");
    fmicl(&["train", "--resume", text(&moved), "--set", &longer("2")], "");
    let experiment = at("x.toml");
    let auto = ["train", text(&experiment), "--resume", "auto", "--out", text(&moved)];
    fmicl(&[&auto[..], &["--set", &longer("3")]].concat(), "");
    assert_eq!(read("result.json")["epochs"], 3);
    let config = std::fs::read_to_string(moved.join("config.toml")).unwrap();
    assert!(config.contains(text(&bert)), "it says where the run began: {config}");
    assert_ne!(fmicl(&["embed", text(&moved)], lines), before);
}

#[test]
fn where_nothing_judges_or_no_tokenizer_is_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let bert = published(folder.path());
    std::fs::write(at("x.toml"), experiment(folder.path(), &bert, "")).unwrap();
    let (succeeds, _, log) = output(&["train", text(&at("x.toml")), "--out", text(&at("run"))], "");
    assert!(
        succeeds && log.contains("the encoder is not evaluated: the experiment has no `evaluations` for its dataset"),
        "{log}"
    );
    assert!(!log.contains("result.json"), "{log}");
    let (succeeds, _, error) = output(&["eval", text(&at("run"))], "");
    assert!(
        !succeeds && error.starts_with("error: this run has no evaluation: "),
        "{error}"
    );

    std::fs::remove_file(bert.join("tokenizer.json")).unwrap();
    let (succeeds, _, error) = output(&["embed", text(&bert)], "a\n");
    let expected = format!("error: {}: has no tokenizer.json: ", bert.display());
    assert!(!succeeds && error.starts_with(&expected), "{error}");
}

#[test]
fn the_first_texts_of_a_dataset_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.txt");
    std::fs::write(&file, format!("one\ttwo\n{}\nlast\nnot shown\n", "long ".repeat(50))).unwrap();
    let set = format!("path={}", text(&file));
    let info = fmicl(&["data", "info", "sentences", "--set", &set], "");
    assert!(info.contains("  texts     one two\n"), "{info}");
    assert!(info.contains("long ...\n"), "{info}");
    assert!(info.contains(" last\n") && !info.contains("not shown"), "{info}");
}
