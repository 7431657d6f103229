//! A run that loses a process.

use crate::common;
use crate::faults::Fault;
use crate::training::*;
use std::path::Path;
use std::process::Command;

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
