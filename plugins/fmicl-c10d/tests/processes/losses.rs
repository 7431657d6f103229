//! A run that loses a process.

use crate::common;
use crate::faults::Fault;
use crate::training::*;
use fmicl_core::{Dataset, Part, toml};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A process of three has a fault in the fourth step; the others name it, and the run goes on from its last checkpoint.
fn check_fault(test: &str, fault: Fault) {
    if common::rank().is_some() {
        return train();
    }
    let folder = tempfile::tempdir().unwrap();
    let out = &folder.path().join("run");
    let run = Run {
        sets: &["train.batch_size=12"],
        fault: Some(fault),
        ..Run::new(out)
    };
    let mut processes = run.start(test, 3);
    let mut faulty = processes.remove(1);
    for said in said(processes) {
        assert_eq!(
            errors(&said),
            ["rank 1 does not answer: it has died or hangs"],
            "{said}"
        );
    }
    // One that hangs would do so for ever.
    faulty.kill().unwrap();
    faulty.wait().unwrap();
    let again = Run { fault: None, ..run };
    let said = again.succeed(test, 2);
    assert!(said[0].contains("resumes after step 2 of 4"), "{said:?}");
    assert!(!said[0].contains("damaged"), "{said:?}");
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn a_run_that_loses_a_process_goes_on_from_its_last_checkpoint() {
    check_fault(
        "losses::a_run_that_loses_a_process_goes_on_from_its_last_checkpoint",
        Fault::Dies,
    );
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn a_run_with_a_process_that_hangs_goes_on_from_its_last_checkpoint() {
    check_fault(
        "losses::a_run_with_a_process_that_hangs_goes_on_from_its_last_checkpoint",
        Fault::Hangs,
    );
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn two_processes_that_are_killed_in_an_epoch_over_shards_go_on_to_the_bit() {
    let test = "losses::two_processes_that_are_killed_in_an_epoch_over_shards_go_on_to_the_bit";
    if common::rank().is_some() {
        return train();
    }
    let folder = tempfile::tempdir().unwrap();
    let dataset: Part<dyn Dataset> = Part::new("webdataset", toml::Table::new()).unwrap();
    dataset.example(folder.path()).unwrap();
    let dataset = format!(
        "dataset={{ name = \"webdataset\", root = \"{}\" }}",
        folder.path().display()
    );
    // Twenty images: three steps an epoch, and a checkpoint after each.
    let sets = [
        &*dataset,
        "train.batch_size=6",
        "train.epochs=20",
        "train.checkpoint_minutes=1e-6",
    ];
    let [whole, killed] = ["whole", "killed"].map(|name| folder.path().join(name));
    let run = |out| Run {
        sets: &sets,
        ..Run::new(out)
    };
    run(&whole).succeed(test, 2);

    let mut processes = run(&killed).start(test, 2);
    let step = || {
        let entries = std::fs::read_dir(killed.join("checkpoints")).into_iter().flatten();
        let steps = entries.filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.rsplit('-').next().unwrap().parse::<u64>().ok()
        });
        steps.max().unwrap_or(0)
    };
    let is_within_an_epoch = |step: u64| step > 3 && !step.is_multiple_of(3);
    while !is_within_an_epoch(step()) {
        assert!(
            step() < 60 && processes[0].try_wait().unwrap().is_none(),
            "it has ended before it was killed"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    for process in &mut processes {
        process.kill().unwrap();
    }
    for output in common::finish(processes) {
        assert!(!output.status.success());
    }
    let said = run(&killed).succeed(test, 2);
    assert!(said[0].contains("resumes after step"), "{said:?}");
    let (found, expected) = (weights(&killed), weights(&whole));
    for (name, found) in &found {
        assert!(found.equal(&expected[name]), "{name}");
    }
    assert_eq!(metrics(&killed), metrics(&whole));
}

/// PyTorch's launcher, where the libtorch that was linked is a wheel's.
fn torchrun() -> Option<Command> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let there = root.join(".libtorch/torch/distributed/run.py").exists();
    let mut command = Command::new(root.join("scripts/torchrun"));
    command.env_remove("RANK");
    there.then_some(command)
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn torchrun_starts_the_processes_again_where_one_dies() {
    let test = "losses::torchrun_starts_the_processes_again_where_one_dies";
    if common::rank().is_some() {
        return train();
    }
    let Some(mut torchrun) = torchrun() else {
        eprintln!("NOT RUN: there is no torchrun in .libtorch; scripts/setup installs it");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let [whole, again] = ["whole", "again"].map(|name| folder.path().join(name));
    Run::new(&whole).succeed(test, 2);
    let run = Run {
        fault: Some(Fault::Dies),
        ..Run::new(&again)
    };
    run.set(0, 2, &mut torchrun);
    let options = ["--nproc-per-node=2", "--max-restarts=1", "--standalone", "--no-python"];
    let output = torchrun
        .args(options)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("OMP_NUM_THREADS", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("resumes after step 3 of 6"), "{said}");
    let (found, expected) = (weights(&again), weights(&whole));
    for (name, found) in &found {
        assert!(found.equal(&expected[name]), "{name}");
    }
    assert_eq!(metrics(&again), metrics(&whole));
}
