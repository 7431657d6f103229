//! A whole run in several processes: what it writes, what it refuses, how it stops and how it goes on.

use crate::common;
use crate::faults::Fault;
use fmicl_core::tch::{self, Tensor};
use fmicl_runner::config;
use fmicl_runner::train::{Resume, TrainOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// Three steps an epoch, and nothing whose result depends on how a batch is split.
const EXPERIMENT: &str = r#"
dataset = { name = "subset", train = 24, of = "digits" }
backbone = { name = "vit", width = 12, depth = 1, heads = 2 }
architecture = { name = "moco", queue = 20, out = 8 }
objective = { name = "f-micl", divergence = "js", similarity = "gaussian" }
optimizer = { name = "faulty", of = "sgd" }
engine = { name = "c10d", timeout = 16.0 }
device = "cpu"
views.size = 16
train = { epochs = 2, batch_size = 8, lr = 0.01, threads = 1, log_every = 1, checkpoint_every = 1 }
evaluations = { knn.k = 5, linear.max_iter = 3 }
"#;

/// What a run is started with, in the environment of each of its processes.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub out: &'a Path,
    pub sets: &'a [&'a str],
    pub stop_after: Option<u64>,
    /// A change of the last process alone.
    pub differs: Option<&'a str>,
    pub fault: Option<Fault>,
}

impl<'a> Run<'a> {
    pub fn new(out: &'a Path) -> Self {
        Run {
            out,
            sets: &[],
            stop_after: None,
            differs: None,
            fault: None,
        }
    }

    /// Sets what a process is told.
    pub fn set(&self, rank: usize, size: usize, command: &mut Command) {
        let own = self.differs.filter(|_| rank + 1 == size);
        let sets: Vec<_> = self.sets.iter().copied().chain(own).collect();
        command.env("OUT", self.out).env("SETS", sets.join("\n"));
        if let Some(fault) = &self.fault {
            command.env("FAULT", fault.to_string());
        }
        if let Some(steps) = self.stop_after {
            command.env("STOP_AFTER", steps.to_string());
        }
    }

    pub fn start(&self, test: &str, size: usize) -> Vec<Child> {
        common::start_with(test, size, |rank, command| self.set(rank, size, command))
    }

    /// What each process said to stderr.
    fn finish(&self, test: &str, size: usize) -> Vec<String> {
        said(self.start(test, size))
    }

    /// As [`finish`](Run::finish), where nothing may go wrong.
    pub fn succeed(&self, test: &str, size: usize) -> Vec<String> {
        let said = self.finish(test, size);
        assert!(!said.join("").contains("ERROR"), "{said:?}");
        said
    }
}

pub fn said(processes: Vec<Child>) -> Vec<String> {
    let outputs = common::finish(processes).into_iter();
    outputs
        .map(|output| String::from_utf8_lossy(&output.stderr).into_owned())
        .collect()
}

/// The lines of an error in what a process said.
pub fn errors(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.strip_prefix("ERROR ")).collect()
}

/// Trains in this process as [`Run`] says; an error is a line that begins with `ERROR`.
pub fn train() {
    // The log of the run, as the command line has it.
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false);
    log.without_time().with_target(false).init();
    let variable = |name: &str| std::env::var(name).ok();
    let out = PathBuf::from(variable("OUT").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("experiment.toml");
    std::fs::write(&path, EXPERIMENT).unwrap();
    let sets: Vec<_> = variable("SETS").unwrap().lines().map(String::from).collect();
    let experiment = config::load(&path, &sets).unwrap_or_else(|error| panic!("{sets:?}: {error}"));
    tch::set_num_threads(1);
    let options = TrainOptions {
        out: Some(out),
        name: "x".into(),
        resume: Resume::Auto,
        stop_after: variable("STOP_AFTER").map(|steps| steps.parse().unwrap()),
        ..TrainOptions::default()
    };
    if let Err(error) = fmicl_runner::train_and_judge(experiment, &options) {
        eprintln!("ERROR {error}");
    }
}

/// The weights of the newest checkpoint.
pub fn weights(run: &Path) -> BTreeMap<String, Tensor> {
    let mut checkpoints: Vec<_> = std::fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    checkpoints.sort();
    let file = checkpoints.last().unwrap().join("model.safetensors");
    Tensor::read_safetensors(file).unwrap().into_iter().collect()
}

pub fn assert_close(found: &Path, expected: &Path) {
    let (found, expected) = (weights(found), weights(expected));
    assert!(found.keys().eq(expected.keys()));
    for (name, found) in &found {
        let off = (found - &expected[name]).abs().max().double_value(&[]);
        assert!(off < 1e-5, "{name}: off by {off:e}");
    }
}

pub fn metrics(run: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let loss = |line| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["loss"]
            .as_f64()
            .unwrap()
    };
    text.lines().map(loss).collect()
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn a_run_of_several_processes_is_that_of_one_and_any_number_may_go_on_with_it() {
    let test = "training::a_run_of_several_processes_is_that_of_one_and_any_number_may_go_on_with_it";
    if common::rank().is_some() {
        return train();
    }
    let folder = tempfile::tempdir().unwrap();
    let [one, two, changed] = ["one", "two", "changed"].map(|name| folder.path().join(name));
    let run = |out, size, stop_after| {
        Run {
            stop_after,
            ..Run::new(out)
        }
        .succeed(test, size)
    };
    run(&one, 1, None);
    run(&two, 2, None);
    assert_close(&two, &one);
    assert_eq!(metrics(&two).len(), 2);
    for (found, expected) in metrics(&two).iter().zip(metrics(&one)) {
        assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
    }
    // In the middle of an epoch, with another number of processes each time.
    run(&changed, 4, Some(2));
    let said = run(&changed, 1, Some(4));
    assert!(said[0].contains("resumes after step 2"), "{said:?}");
    assert!(
        said[0].contains("1 processes, and before 4: the last bits will differ"),
        "{said:?}"
    );
    run(&changed, 2, None);
    assert_close(&changed, &one);
    let entries = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(entries, 3, "the first process alone writes");
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn gradients_that_are_accumulated_are_summed_once() {
    let test = "training::gradients_that_are_accumulated_are_summed_once";
    if common::rank().is_some() {
        return train();
    }
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    for (out, size) in [(&one, 1), (&two, 2)] {
        let run = Run {
            sets: &["train.accumulate=3", "engine.bucket_cap_mb=0.001"],
            ..Run::new(out)
        };
        run.succeed(test, size);
    }
    assert_close(&two, &one);
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn a_run_of_two_that_stops_in_an_epoch_goes_on_with_two_to_the_bit() {
    let test = "training::a_run_of_two_that_stops_in_an_epoch_goes_on_with_two_to_the_bit";
    if common::rank().is_some() {
        return train();
    }
    let folder = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    // Batch norms of their own, MoCo's shuffle, momentum: all that has a state.
    let sets = &["backbone={ name = \"resnet\", stem = \"cifar\", width = 4 }"];
    let run = |out, stop_after| {
        Run {
            sets,
            stop_after,
            ..Run::new(out)
        }
        .succeed(test, 2);
    };
    run(&whole, None);
    run(&parts, Some(2));
    run(&parts, None);
    let (found, expected) = (weights(&parts), weights(&whole));
    assert!(found.keys().eq(expected.keys()));
    for (name, found) in &found {
        assert!(found.equal(&expected[name]), "{name}");
    }
    assert_eq!(metrics(&parts), metrics(&whole));
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn what_cannot_work_stops_all_processes_with_a_line() {
    let test = "training::what_cannot_work_stops_all_processes_with_a_line";
    if common::rank().is_some() {
        return train();
    }
    let folder = tempfile::tempdir().unwrap();
    let out = &folder.path().join("run");
    let check = |sets: &[&str], differs: Option<&str>, expected: &str| {
        let run = Run {
            sets,
            differs,
            ..Run::new(out)
        };
        for said in run.finish(test, 2) {
            let errors = errors(&said);
            assert!(
                errors.len() == 1 && errors[0].contains(expected),
                "{sets:?} {differs:?}: {said}"
            );
        }
    };
    let different = "the config of rank 1 is not that of rank 0: `lr = 0.5` and `lr = 0.01`";
    check(&[], Some("train.lr=0.5"), different);
    let samples = "the dataset of rank 1 is not that of rank 0: `49 samples to train on` and `48 samples to train on`";
    check(&["dataset={ name = \"uneven\" }"], None, samples);
    check(&["train.batch_size=7"], None, "7 cannot be shared by 2 processes");
    check(
        &["train.on_error=\"skip\""],
        None,
        "with \"skip\" the 2 processes would have",
    );
    assert!(!out.exists(), "no run began");
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn a_nan_in_one_process_stops_all_at_the_same_step() {
    let test = "training::a_nan_in_one_process_stops_all_at_the_same_step";
    if common::rank().is_some() {
        return train();
    }
    let folder = tempfile::tempdir().unwrap();
    let out = &folder.path().join("run");
    let run = Run {
        fault: Some(Fault::Nan),
        ..Run::new(out)
    };
    for said in run.finish(test, 2) {
        let errors = errors(&said);
        assert!(errors.len() == 1 && errors[0].starts_with("the loss is NaN"), "{said}");
        assert!(errors[0].contains("at step 5 (epoch 2)"), "{said}");
    }
    let said = Run::new(out).succeed(test, 2);
    assert!(said[0].contains("resumes after step 3 of 6"), "{said:?}");
}
