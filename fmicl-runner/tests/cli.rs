//! The binary `fmicl` as a user meets it: exit codes, and errors in one line.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::Read;
use std::process::{Command, Output, Stdio};

fn fmicl(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    command.args(args);
    command
}

fn run(args: &[&str]) -> Output {
    fmicl(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The exit code and stderr of a command that prints nothing else.
fn error(args: &[&str]) -> (i32, String) {
    let output = run(args);
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    (output.status.code().unwrap(), text(&output.stderr))
}

#[test]
fn a_fault_of_the_config_is_one_line_and_exit_code_2() {
    for command in ["train", "check"] {
        let (code, line) = error(&[command, "no-such.toml"]);
        assert_eq!(
            (code, &*line),
            (2, "error: no-such.toml: there is no such file; name a TOML file\n")
        );
    }
}

#[test]
fn an_unknown_kind_names_the_nearest_and_all() {
    let expected = "error: no kind of part named `divergense` (did you mean `divergence`?); kinds: architecture, \
                    backbone, dataset, divergence, engine, evaluation, objective, optimizer, pretrained, similarity, views\n";
    assert_eq!(error(&["list", "divergense"]), (2, expected.to_string()));
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    for args in [
        &["trian"][..],
        &["list", "--jsn"],
        &["check"],
        &["check", "x.toml", "--device", "gpu"],
    ] {
        assert_eq!(error(args).0, 2, "{args:?}");
    }
    assert_eq!(run(&["--version"]).status.code(), Some(0));
}

#[test]
fn a_run_that_is_not_there_is_an_error_without_a_panic() {
    let (code, message) = error(&["eval", "no-such-run"]);
    assert_ne!(code, 0);
    assert!(
        message.starts_with("error: ") && message.lines().count() == 1,
        "{message}"
    );
    assert!(!message.contains("internal"), "{message}");
}

#[test]
fn a_gpu_that_is_not_there_says_what_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    let experiment = r#"
        dataset = "digits"
        backbone = { name = "resnet", stem = "cifar", width = 8 }
        architecture = "simclr"
        objective = { name = "f-micl", divergence = "kl", similarity = "gaussian" }
        optimizer = "sgd"
        train = { epochs = 1, batch_size = 8, lr = 0.1 }
    "#;
    std::fs::write(&path, experiment).unwrap();
    let (code, message) = error(&["check", path.to_str().unwrap(), "--device", "cuda:99"]);
    assert_eq!(code, 2);
    assert!(
        message.starts_with("error: --set device=cuda:99: no GPU 99: "),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn the_list_as_json_has_every_line_of_the_list() {
    let json: serde_json::Value = serde_json::from_slice(&run(&["list", "divergence", "--json"]).stdout).unwrap();
    let list = text(&run(&["list", "divergence"]).stdout);
    let parts = json.as_array().unwrap();
    assert!(!parts.is_empty());
    for part in parts {
        let origin = format!(
            "({} {})",
            part["crate"].as_str().unwrap(),
            part["version"].as_str().unwrap()
        );
        assert!(
            list.contains(part["name"].as_str().unwrap()) && list.contains(&origin),
            "{part}"
        );
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let mut child = fmicl(&["list", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Nobody reads: the pipe is closed before the first line.
    drop(child.stdout.take());
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_eq!((child.wait().unwrap().code(), &*message), (Some(0), ""));
}

#[test]
fn no_escape_codes_reach_a_file() {
    let output = fmicl(&["train"]).env("NO_COLOR", "1").output().unwrap();
    assert!(!output.stderr.contains(&0x1b));
}
