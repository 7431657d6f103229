//! A step is replayed as it was taken, whatever the run has gone on with since.

use crate::bench::{Bench, ended};
use std::fs;
use std::process::Command;

/// Trains on to a step with another number of epochs.
fn go_on(bench: &Bench, last: u64, epochs: usize) {
    let epochs = format!("train.epochs={epochs}");
    let output = bench.train("run", last).args(["--set", &epochs]).output().unwrap();
    let (code, stderr) = ended(&output);
    assert_eq!(code, 0, "{stderr}");
}

/// The exit code, and stdout or the error.
fn replay(bench: &Bench, step: u64) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_fmicl"))
        .current_dir(bench.folder.path())
        .env("OMP_NUM_THREADS", "1")
        .args(["replay", "run", "--step", &step.to_string()])
        .output()
        .unwrap();
    match ended(&output) {
        (0, _) => (0, String::from_utf8(output.stdout).unwrap()),
        failed => failed,
    }
}

/// The line that compares a step with the log.
fn compared(bench: &Bench, step: u64) -> String {
    let (code, text) = replay(bench, step);
    assert_eq!(code, 0, "{text}");
    let line = text.lines().find(|line| line.contains(" steps.jsonl: "));
    line.unwrap_or_else(|| panic!("step {step}: {text}")).to_string()
}

#[test]
fn a_step_of_a_run_that_learns_sigma_and_mu_is_replayed_as_it_was_logged_and_names_their_gradients() {
    let learning = |text: &str| {
        let text = text.replace("\"gaussian\"", "{ name = \"gaussian\", mu = 2, learn = true }");
        text.replace("log_every = 2", "log_every = 1")
    };
    let bench = Bench::new(learning);
    go_on(&bench, 5, 3);
    let line = compared(&bench, 5);
    assert!(line.starts_with("equal to steps.jsonl: loss "), "{line}");
    let (_, text) = replay(&bench, 5);
    for name in ["objective.log_temperature", "objective.log_mu"] {
        assert!(text.contains(name), "{text}");
    }
    let check = Command::new(env!("CARGO_BIN_EXE_fmicl"))
        .current_dir(bench.folder.path())
        .args(["check", "x.toml"])
        .output()
        .unwrap();
    assert_eq!(ended(&check), (0, String::new()));
}

#[test]
fn every_step_of_a_run_that_was_extended_twice_is_replayed_as_it_was_logged() {
    let bench = Bench::new(|text| text.replace("log_every = 2", "log_every = 1, keep = 9"));
    go_on(&bench, 4, 3);
    go_on(&bench, 7, 6);
    go_on(&bench, 9, 4);
    for step in [4, 5, 7, 9] {
        let line = compared(&bench, step);
        assert!(line.starts_with("equal to steps.jsonl: loss "), "step {step}: {line}");
    }
    // Through all three schedules.
    for checkpoint in bench.checkpoints("run") {
        fs::remove_dir_all(checkpoint).unwrap();
    }
    let (_, text) = replay(&bench, 5);
    let told = "\nwith the schedule of that time: train.epochs was 6, and is 4 now\n";
    assert!(text.contains(told), "{text}");
    for step in [2, 6, 9] {
        let line = compared(&bench, step);
        assert!(line.starts_with("equal to steps.jsonl: loss "), "step {step}: {line}");
    }

    // Where the record says otherwise, the numbers are not taken for the run's.
    let record = bench.path("run/provenance.json");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace("\"epochs\": 6", "\"epochs\": 9")).unwrap();
    let line = compared(&bench, 7);
    assert!(line.starts_with("differs from steps.jsonl: loss "), "{line}");
    assert!(line.ends_with("a sample may have been overwritten"), "{line}");
    fs::remove_file(&record).unwrap();
    let (code, error) = replay(&bench, 4);
    assert_eq!(code, 1, "{error}");
    assert_eq!(
        error,
        "error: run/provenance.json: there is no such file; it contains the settings of each step\n"
    );
}
