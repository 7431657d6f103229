//! Losses that are not numbers, made by an objective of this test.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[path = "support/experiment.rs"]
mod experiment;
#[path = "support/metrics.rs"]
mod metrics;
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;

use experiment::EXPERIMENT;
use fmicl_core::tch::{self, Kind, Tensor};
use fmicl_core::{Loss, Objective, Pairing, Schedule, register};
use fmicl_runner::config;
use fmicl_runner::train::{Resume, TrainOptions};
use metrics::metrics;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// The mean cosine of the pairs, and now and then no number.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Poisoned {
    /// In which calls, counted from 1.
    at: Vec<u64>,
}

register!(Objective, "poisoned", Poisoned, "for this test");

/// libtorch's generator and the calls are the process's: runs take turns.
static TURN: Mutex<()> = Mutex::new(());
static CALLS: AtomicU64 = AtomicU64::new(0);

impl Objective for Poisoned {
    fn loss(&self, pairing: &Pairing) -> Loss {
        // Not of the random features of the chance level.
        let call = match pairing.anchors.requires_grad() {
            true => CALLS.fetch_add(1, Ordering::Relaxed) + 1,
            false => 0,
        };
        let value = -(&pairing.anchors * &pairing.positives).sum(Kind::Float) / pairing.anchors.size()[0] as f64;
        let value = match self.at.contains(&call) {
            true => value * f64::NAN,
            false => value,
        };
        Loss { value, terms: vec![] }
    }
}

/// Trains to step `last`; step n is call n.
fn train(folder: &TempDir, name: &str, last: u64, sets: &[&str]) -> anyhow::Result<()> {
    let file = folder.path().join("x.toml");
    fs::write(&file, EXPERIMENT).unwrap();
    let sets: Vec<_> = sets.iter().map(ToString::to_string).collect();
    let experiment = config::load(&file, &sets)?;
    let options = TrainOptions {
        out: Some(folder.path().join(name)),
        resume: Resume::Auto,
        stop_after: Some(last),
        ..TrainOptions::default()
    };
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    tch::set_num_threads(1);
    CALLS.store(0, Ordering::Relaxed);
    fmicl_runner::train_and_judge(experiment, &options)
}

#[test]
fn features_that_nothing_repels_collapse_which_ends_the_run_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let sets = [
        "objective=poisoned",
        "architecture={ name='moco', queue=12, hidden=16, out=8 }",
        "train.epochs=12",
        "train.lr=0.5",
    ];
    train(&folder, "warned", 48, &sets).unwrap();
    let sets = [&sets[..], &["train.on_collapse=stop"]].concat();
    let error = train(&folder, "stopped", 48, &sets).unwrap_err().to_string();
    assert!(
        error.starts_with("the features have collapsed: effective rank "),
        "{error}"
    );
    // Earlier, and the epoch by which one sees it is written down.
    let [warned, stopped] = ["warned", "stopped"].map(|name| metrics(&folder.path().join(name)));
    assert!(stopped.len() < warned.len(), "{stopped:?}");
    let last = &stopped.last().unwrap()["projections"];
    let number = |name: &str| last[name].as_f64().unwrap();
    assert!(number("mean_cosine") > 0.9 || number("effective_rank") < 2.0, "{last}");
}

/// Rises beyond 1 in the second half of training.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beyond {}

register!(Schedule, "beyond", Beyond, "for this test");

impl Schedule for Beyond {
    fn factor(&self, progress: f64) -> f64 {
        if progress < 0.5 { 1.0 } else { 2.0 }
    }
}

#[test]
fn a_schedule_that_leaves_its_range_ends_the_run_with_its_name_and_the_step() {
    let moco = "architecture={name='moco-v3',hidden=8,out=8,schedule='beyond'}";
    let folder = tempfile::tempdir().unwrap();
    // With six steps the rate of step 4 is at half of training, the momentum after step 3.
    for (name, set, step) in [("rate", "train.schedule=beyond", 4), ("momentum", moco, 3)] {
        let sets = ["train.epochs=2", "train.warmup_epochs=0", set];
        let error = train(&folder, name, 6, &sets).unwrap_err();
        let expected = format!(
            "step {step}: the schedule `beyond` gives the factor 2 at progress 0.5, and a factor is from 0 to 1; \
             `fmicl_core::testing::check_schedule` finds such a schedule"
        );
        assert_eq!(format!("{error:#}"), expected);
    }
}

#[test]
fn features_that_are_no_numbers_end_a_run_with_a_shift_as_one_without() {
    let folder = tempfile::tempdir().unwrap();
    for divergence in ["kl", "js"] {
        let set =
            format!("objective={{ name='f-micl', divergence='{divergence}', similarity='gaussian', shift='best' }}");
        let error = train(&folder, divergence, 6, &[&set, "train.lr=1e9", "train.warmup_epochs=0"]).unwrap_err();
        let error = format!("{error:#}");
        assert!(
            error.contains("the loss is NaN") && !error.contains("libtorch"),
            "{error}"
        );
    }
}

/// Weights, buffers and the optimizer's state: all but what an epoch measures.
fn state(run: &Path, step: u64) -> BTreeMap<String, Tensor> {
    let folder = run.join(format!("checkpoints/step-{step:010}"));
    let files = ["model", "training"].map(|file| folder.join(format!("{file}.safetensors")));
    let tensors = files.iter().flat_map(|file| Tensor::read_safetensors(file).unwrap());
    tensors.filter(|(name, _)| !name.starts_with("meter.")).collect()
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_with_step_parts_samples_and_the_checkpoint_before() {
    let folder = tempfile::tempdir().unwrap();
    let poisoned = ["objective={name='poisoned',at=[5]}", "train.checkpoint_minutes=1e-6"];
    let error = train(&folder, "run", 8, &poisoned).unwrap_err().to_string();
    let run = folder.path().join("run");
    assert!(
        error.starts_with("the loss is NaN and the norm of the gradients NaN at step 5 (epoch 2), on the samples "),
        "{error}"
    );
    for part in [
        "objective poisoned",
        "architecture simclr",
        "backbone resnet",
        "optimizer sgd",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let good = format!(
        "the last good checkpoint is {}/checkpoints/step-0000000004",
        run.display()
    );
    assert!(error.contains(&good) && error.contains("fmicl replay "), "{error}");
    let advice = "; the step before had gradients of norm ";
    assert!(error.contains(advice), "{error}");
    assert!(
        error.contains(
            "; try a lower train.lr, a longer train.warmup_epochs or a train.clip_grad_norm, and inspect it with: "
        ),
        "{error}"
    );
    let diverged: serde_json::Value = serde_json::from_slice(&fs::read(run.join("diverged.json")).unwrap()).unwrap();
    assert_eq!(diverged["step"], 5);
    assert_eq!(diverged["samples"].as_array().unwrap().len(), 8);
    assert!(!run.join("checkpoints/step-0000000005").exists());
}

#[test]
fn a_loss_that_is_no_number_from_the_start_is_not_put_down_to_the_learning_rate() {
    let folder = tempfile::tempdir().unwrap();
    let error = train(&folder, "run", 8, &["objective={name='poisoned',at=[1]}"]).unwrap_err();
    let error = error.to_string();
    assert!(error.contains(" at step 1 (epoch 1), on the samples "), "{error}");
    let advice = "; no step had changed the weights yet, so train.lr is not the cause: try other options of the \
                  objective poisoned, or \
                  other samples, and inspect it with: ";
    assert!(error.contains(advice), "{error}");
}

#[test]
fn a_step_that_is_skipped_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let skip = [
        "objective={name='poisoned',at=[3,4]}",
        "train.on_nan='skip'",
        "architecture={name='moco',queue=20}",
        "train.checkpoint_minutes=1e-6",
        "train.keep=9",
    ];
    train(&folder, "run", 5, &skip).unwrap();
    let run = folder.path().join("run");
    let [before, third, fourth, after] = [2, 3, 4, 5].map(|step| state(&run, step));
    assert!(
        before == third && before == fourth,
        "a skipped step left something behind"
    );
    assert!(before != after);
    assert_eq!(metrics(&run)[0]["skipped_steps"], 1);
    // One more than may be is the end.
    let error = train(
        &folder,
        "capped",
        5,
        &[&skip[..], &["train.max_skipped_steps=1"]].concat(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("at step 4 (epoch 2)"), "{error}");
}

#[test]
fn a_replay_names_the_first_tensor_that_is_not_finite() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.toml"), EXPERIMENT).unwrap();
    let fmicl = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
        command
            .args(args)
            .current_dir(folder.path())
            .env("OMP_NUM_THREADS", "1")
            .output()
            .unwrap()
    };
    let output = fmicl(&[
        "train",
        "x.toml",
        "--out",
        "run",
        "--set",
        "train.lr=1e9",
        "--set",
        "train.warmup_epochs=0",
        "--set",
        "train.epochs=20",
    ]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let step = stderr.split(" at step ").nth(1).unwrap().split(' ').next().unwrap();
    let command = format!("inspect it with: fmicl replay run --step {step}\n");
    assert!(stderr.ends_with(&command), "{stderr}");
    let log = fs::read_to_string(folder.path().join("run/log.txt")).unwrap();
    let why = stderr.lines().last().unwrap().trim_start_matches("error: ");
    assert!(log.trim_end().ends_with(why), "{log}");
    let replay = fmicl(&["replay", "run", "--step", step]);
    let stdout = String::from_utf8_lossy(&replay.stdout);
    assert_eq!(
        replay.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&replay.stderr)
    );
    let view = stdout.lines().find(|line| line.starts_with("view 1 ")).unwrap();
    assert!(view.contains("[8, 3, 16, 16]") && view.ends_with(" 0"), "{view}");
    // From the backbone to the gradients, in this order.
    let names = [
        "backbone.conv1.weight ",
        "features 1 ",
        "anchors 1 ",
        "loss ",
        "gradient of ",
    ];
    let found = names.map(|name| stdout.lines().position(|line| line.starts_with(name)).unwrap());
    assert!(found.is_sorted(), "{stdout}");
    let first = stdout
        .lines()
        .find(|line| !line.ends_with(" 0") && line.contains('['))
        .unwrap();
    let name = first.split("  ").next().unwrap();
    assert!(
        stdout.ends_with(&format!("the first that is not finite: {name}\n")),
        "{stdout}"
    );
    let fine = fmicl(&["replay", "run", "--step", "1"]);
    assert!(String::from_utf8_lossy(&fine.stdout).ends_with("everything is finite\n"));
    let beyond = fmicl(&["replay", "run", "--step", "61"]);
    assert_eq!(beyond.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&beyond.stderr),
        "error: --step: 61 is not a step of the run, which has 1 to 60\n"
    );
}
