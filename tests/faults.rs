//! What can happen to a run of days happens here to a tiny one, and it ends with the numbers that it would have had.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[path = "support/bench.rs"]
mod bench;
#[path = "support/crash.rs"]
mod crash;
#[path = "support/experiment.rs"]
mod experiment;
#[path = "faults/images.rs"]
mod images;
#[path = "support/metrics.rs"]
mod metrics;
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
#[path = "faults/signals.rs"]
mod signals;
#[path = "support/state.rs"]
mod state;

use bench::{Bench, ended, wait_until};
use crash::often;
use fmicl_core::Rng;
use fmicl_core::{Dataset, Part};
use metrics::metrics;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The times that a run is killed: 6 of them, or as many as the variable FMICL_KILLS says.
fn kills() -> u64 {
    std::env::var("FMICL_KILLS").map_or(6, |kills| kills.parse().unwrap())
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_same_weights() {
    const LAST: u64 = 60;
    let bench = Bench::new(often);
    let started = Instant::now();
    bench.finish("whole", LAST);
    let whole = started.elapsed().as_secs_f64();
    let (mut rng, mut writing, mut done) = (Rng::new(&[9]), 0, 0);
    while done < kills() {
        let mut child = bench.start("killed", LAST);
        match done % 2 {
            // Anywhere: before there is a run, between steps, in one.
            0 => std::thread::sleep(Duration::from_secs_f64(rng.uniform(0.0, 0.7 * whole))),
            _ => {
                let pause = Duration::from_micros(rng.below(2000) as u64);
                while child.try_wait().unwrap().is_none() && !bench.is_writing("killed") {
                    std::thread::yield_now();
                }
                std::thread::sleep(pause);
            }
        }
        if child.try_wait().unwrap().is_some() {
            let (code, stderr) = ended(&child.wait_with_output().unwrap());
            assert_eq!(code, 0, "{stderr}");
            // It was faster than the knife: from the beginning.
            bench.same("whole", "killed", LAST);
            fs::remove_dir_all(bench.path("killed")).unwrap();
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        writing += u64::from(bench.is_writing("killed"));
        done += 1;
    }
    bench.finish("killed", LAST);
    bench.same("whole", "killed", LAST);
    println!("{done} kills, {writing} of them while a checkpoint was written; the same weights");
    assert!(writing > 0, "no kill fell into the writing of a checkpoint");
    assert!(!bench.is_writing("killed"), "something half written is left");
}

#[test]
fn a_damaged_checkpoint_is_reported_and_the_one_before_it_is_used() {
    let bench = Bench::new(str::to_string);
    bench.finish("whole", 7);
    for (file, damage) in [
        ("model.safetensors", flip as fn(&Path)),
        ("training.safetensors", halve),
        ("checkpoint.json", flip),
    ] {
        let name = file.split('.').next().unwrap();
        bench.finish(name, 2);
        bench.finish(name, 5);
        let newest = bench.checkpoints(name).pop().unwrap();
        damage(&newest.join(file));
        let stderr = bench.finish(name, 7);
        let damaged = format!("{name}/checkpoints/step-0000000005/{file}: is damaged: ");
        assert!(stderr.contains(&damaged), "{stderr}");
        assert!(stderr.contains("resumes after step 2 of 9"), "{stderr}");
        bench.same("whole", name, 7);
    }
    // With nothing whole left, the newest one's damage is the error.
    for path in bench.checkpoints("model") {
        halve(&path.join("model.safetensors"));
    }
    let (code, stderr) = ended(&bench.train("model", 8).output().unwrap());
    assert_eq!(code, 1);
    let last = stderr.lines().last().unwrap();
    assert!(
        last.starts_with("error: model/checkpoints/step-0000000007/model.safetensors: is damaged: "),
        "{stderr}"
    );
}

/// Changes one bit in the middle.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn halve(path: &Path) {
    let length = fs::metadata(path).unwrap().len();
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(length / 2)
        .unwrap();
}

#[test]
fn the_clock_may_go_backwards() {
    let bench = Bench::new(str::to_string);
    bench.finish("whole", 7);
    bench.finish("run", 2);
    bench.finish("run", 5);
    // The later a checkpoint, the older its files; and all of the run from a time to come.
    let day = Duration::from_secs(86_400);
    let later = std::time::SystemTime::now() + 10_000 * day;
    for (age, path) in bench.checkpoints("run").into_iter().enumerate() {
        for path in fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .chain([path.clone()])
        {
            fs::File::open(path)
                .unwrap()
                .set_modified(later - age as u32 * day)
                .unwrap();
        }
    }
    fs::File::open(bench.path("run").join("metrics.jsonl"))
        .unwrap()
        .set_modified(later)
        .unwrap();
    let stderr = bench.finish("run", 7);
    assert!(stderr.contains("resumes after step 5 of 9"), "{stderr}");
    bench.same("whole", "run", 7);
}

#[test]
fn a_second_process_is_refused_while_one_trains() {
    let bench = Bench::new(often);
    let mut child = bench.start("run", 300);
    wait_until(&mut child, "a checkpoint", || !bench.checkpoints("run").is_empty());
    for _ in 0..2 {
        let (code, stderr) = ended(&bench.train("run", 300).output().unwrap());
        let refused =
            "error: run: another process is training here; wait for it, or name another directory with --out\n";
        assert_eq!((code, &*stderr), (1, refused));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // The dead hold nothing.
    let newest = bench.checkpoints("run").pop().unwrap();
    let step: u64 = newest
        .to_str()
        .unwrap()
        .rsplit('-')
        .next()
        .unwrap()
        .trim_end_matches(".partial")
        .parse()
        .unwrap();
    bench.finish("run", step + 2);
}

#[test]
fn a_run_whose_log_nobody_reads_any_more_goes_on() {
    let bench = Bench::new(often);
    let mut child = bench.start("run", 12);
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success());
    let log = fs::read_to_string(bench.path("run/log.txt")).unwrap();
    let epochs = |text: &str| text.lines().filter(|line| line.contains("INFO epoch ")).count();
    assert!(epochs(&log) >= 2, "{log}");
    // Where somebody does, it is told all of it.
    assert_eq!(epochs(&bench.finish("other", 12)), epochs(&log));
}

#[test]
fn a_changed_config_is_refused_with_both_values_or_said() {
    let bench = Bench::new(str::to_string);
    bench.finish("run", 2);
    let with = |last, sets: &[&str]| {
        let mut command = bench.train("run", last);
        command.args(sets.iter().flat_map(|set| ["--set", set]));
        ended(&command.output().unwrap())
    };
    let (code, refused) = with(8, &["train.lr=0.02", "seed=3", "train.epochs=4"]);
    let ending = "that may not change (docs/RESUME.md): set it back, or start a new run with another --out\n";
    let expected = format!("error: run: the run has seed = 0, not 3, train.lr = 0.01, not 0.02; {ending}");
    assert_eq!((code, refused), (2, expected));
    let (_, refused) = with(8, &["train.lr=0.02", "seed=3", "views.size=12", "optimizer=lars"]);
    let count = refused.matches(", not ").count();
    assert!(
        count == 3 && refused.contains(" more; that may not change"),
        "{refused}"
    );
    bench.finish("run", 4);
    let (code, said) = with(11, &["train.epochs=4"]);
    assert_eq!(code, 0, "{said}");
    for words in [
        "train.epochs is 4 now, and was 3\n",
        "the learning rate follows the schedule of the new number of epochs",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let config = fs::read_to_string(bench.path("run/config.toml")).unwrap();
    assert!(config.contains("epochs = 4"), "{config}");
    let (code, fewer) = with(12, &["train.epochs=2"]);
    assert!(
        code == 2 && fewer.contains("2 are fewer than the run has already trained: it is at step 11"),
        "{fewer}"
    );
}
