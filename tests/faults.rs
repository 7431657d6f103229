//! What can happen to a run of days happens here to a tiny one, and it ends with the numbers that it would have had.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[path = "support/bench.rs"]
mod bench;
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
mod support;

use bench::{Bench, ended, often, wait_until};
use fmicl_core::Rng;
use fmicl_core::{Dataset, Part};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::metrics;

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

/// Sends a signal, such as TERM.
fn send(child: &std::process::Child, signal: &str) {
    let mut kill = Command::new("kill");
    kill.args([format!("-{signal}"), child.id().to_string()]);
    assert!(kill.status().unwrap().success());
}

#[test]
fn a_signal_stops_a_run_with_a_checkpoint_and_an_exit_code_of_its_own() {
    let bench = Bench::new(|text| text.replace("epochs = 3,", "epochs = 1000, checkpoint_minutes = 0,"));
    let line = bench.path("run").join("metrics.jsonl");
    for (signal, code) in [
        ("TERM", 143),
        ("INT", 130),
        ("USR1", 138),
        ("HUP", 129),
        ("QUIT", 131),
        ("USR2", 140),
        ("ALRM", 142),
        ("XCPU", 152),
    ] {
        let mut child = bench.start("run", 3000);
        let before = fs::metadata(&line).map_or(0, |file| file.len());
        wait_until(&mut child, "an epoch", || {
            fs::metadata(&line).is_ok_and(|file| file.len() > before)
        });
        send(&child, signal);
        let (found, stderr) = ended(&child.wait_with_output().unwrap());
        assert_eq!(found, code, "{stderr}");
        let words = format!("stopped by SIG{signal} after step ");
        assert!(stderr.lines().last().unwrap().starts_with(&words), "{stderr}");
        assert!(
            stderr.trim_end().ends_with("resume with: fmicl train --resume run"),
            "{stderr}"
        );
        assert!(!bench.is_writing("run"));
    }
    let newest = bench.checkpoints("run").pop().unwrap();
    let step = newest.to_str().unwrap().rsplit('-').next().unwrap().parse().unwrap();
    bench.finish("whole", step);
    bench.same("whole", "run", step);
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_so() {
    let bench = Bench::new(|text| text.replace("epochs = 3,", "epochs = 100, checkpoint_minutes = 0,"));
    let line = bench.path("run").join("metrics.jsonl");
    let train = bench.train("run", 300);
    let mut nohup = Command::new("nohup");
    nohup.arg(train.get_program()).args(train.get_args());
    nohup.current_dir(bench.folder.path()).env("OMP_NUM_THREADS", "1");
    let streams = nohup.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = streams.spawn().unwrap();
    let written = || fs::metadata(&line).map_or(0, |file| file.len());
    wait_until(&mut child, "an epoch", || written() > 0);
    send(&child, "HUP");
    let before = written();
    wait_until(&mut child, "another epoch", || written() > before);
    send(&child, "TERM");
    let (code, stderr) = ended(&child.wait_with_output().unwrap());
    assert_eq!(code, 143, "{stderr}");
    assert!(stderr.contains("stopped by SIGTERM after step "), "{stderr}");
}

#[test]
fn a_signal_during_the_last_evaluation_ends_a_run_with_a_word() {
    let endless = |text: &str| text.replace("linear.max_iter = 3", "linear = { max_iter = 1000000000, l2 = 0.0 }");
    let bench = Bench::new(endless);
    let log = || fs::read_to_string(bench.path("run/log.txt")).unwrap_or_default();
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let said = log().len();
        let mut child = bench.start("run", 300);
        wait_until(&mut child, "the evaluation", || {
            log()[said..].contains("evaluating the encoder")
        });
        send(&child, signal);
        let (found, stderr) = ended(&child.wait_with_output().unwrap());
        assert_eq!(found, code, "{stderr}");
        let words = format!("stopped by SIG{signal} after step 9; resume with: fmicl train --resume run");
        assert_eq!(stderr.lines().last(), Some(&*words));
        assert!(log().trim_end().ends_with(&words));
    }
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

/// The folder of images of an experiment.
fn photos(text: &str) -> String {
    let text = text.replace(
        r#"{ name = "subset", train = 24, of = "digits" }"#,
        r#"{ name = "image-folder", root = "photos" }"#,
    );
    text.replace("epochs = 3, batch_size = 8,", "epochs = 1000, batch_size = 6,")
}

/// Twenty photos to train on, and eight to test.
fn example(bench: &Bench) {
    let dataset: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    dataset.example(&bench.path("photos")).unwrap();
}

#[test]
fn an_image_that_vanishes_or_is_cut_during_training_costs_no_step() {
    let bench = Bench::new(photos);
    example(&bench);
    let image = bench.path("photos/train/one/3.png");
    let good = fs::read(&image).unwrap();
    let lines = bench.path("run").join("metrics.jsonl");
    for (harm, says) in [
        (
            (|path| fs::remove_file(path).unwrap()) as fn(&Path),
            "there is no such file",
        ),
        (halve, "cannot be decoded"),
    ] {
        let mut child = bench.start("run", 3000);
        let before = fs::metadata(&lines).map_or(0, |file| file.len());
        wait_until(&mut child, "an epoch", || {
            fs::metadata(&lines).is_ok_and(|file| file.len() > before)
        });
        harm(&image);
        let (code, stderr) = ended(&child.wait_with_output().unwrap());
        assert_eq!(code, 1, "{stderr}");
        let error = stderr.lines().last().unwrap();
        assert!(
            error.starts_with("error: ") && error.contains("photos/train/one/3.png: "),
            "{stderr}"
        );
        assert!(error.contains(says), "{stderr}");
        fs::write(&image, &good).unwrap();
    }
    let newest = bench.checkpoints("run").pop().unwrap();
    let step: u64 = newest.to_str().unwrap().rsplit('-').next().unwrap().parse().unwrap();
    // No epoch's end: the step before the harm.
    bench.finish("run", step + 4);
    bench.finish("whole", step + 4);
    bench.same("whole", "run", step + 4);
}

#[test]
fn images_that_cannot_be_read_are_left_out_listed_and_capped() {
    let bench = Bench::new(|text| photos(text).replace("threads = 2", "threads = 2, on_error = 'skip'"));
    example(&bench);
    for name in ["one/3.png", "two/7.png"] {
        halve(&bench.path(&format!("photos/train/{name}")));
    }
    fs::write(bench.path("photos/test/one/1.png"), "no image").unwrap();
    bench.finish("whole", 7);
    let stderr = bench.finish("run", 4);
    assert_eq!(stderr.matches("is left out: photos/train/").count(), 2, "{stderr}");
    bench.finish("run", 7);
    bench.same("whole", "run", 7);
    for line in metrics(&bench.path("run")) {
        // 18 of the 20 samples are used in an epoch.
        let skipped = line["skipped_samples"].as_u64().unwrap();
        assert!((1..=2).contains(&skipped), "{line}");
    }
    let list = fs::read_to_string(bench.path("run/skipped.jsonl")).unwrap();
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(
        list.contains(r#"{"pass":"training","split":"train","sample":3,"error":"photos/train/one/3.png: "#),
        "{list}"
    );
    // To the end, with the evaluation of what is left.
    let mut whole = bench.train("all", 9);
    let output = whole
        .args(["--set", "train.epochs=1", "--set", "train.warmup_epochs=0"])
        .output()
        .unwrap();
    let (code, stderr) = ended(&output);
    assert_eq!(code, 0, "{stderr}");
    // Of each file once, however often the evaluation reads it.
    assert_eq!(stderr.matches(" is left out: ").count(), 3, "{stderr}");
    assert!(
        stderr.contains("sample 1 of test is left out: photos/test/one/1.png: "),
        "{stderr}"
    );
    let list = fs::read_to_string(bench.path("all/skipped.jsonl")).unwrap();
    let of = |pass: &str| list.lines().filter(|line| line.contains(pass)).count();
    let [train, test] = ["train", "test"].map(|split| of(&format!(r#"{{"pass":"evaluation","split":"{split}""#)));
    assert_eq!((train, test), (2, 1), "{list}");
    assert!((1..=2).contains(&of(r#"{"pass":"training""#)), "{list}");
    // More than may be.
    let mut capped = bench.train("capped", 9);
    let (code, stderr) = ended(&capped.args(["--set", "train.max_skipped_samples=0"]).output().unwrap());
    assert_eq!(code, 1);
    assert!(
        stderr.contains(
            "error: 1 samples of epoch 1 cannot be read, and train.max_skipped_samples is 0; the last: photos/train/"
        ),
        "{stderr}"
    );
}

#[test]
fn an_image_of_the_test_split_that_cannot_be_read_names_the_way_out() {
    let bench = Bench::new(|text| {
        let once = photos(text).replace("epochs = 1000", "epochs = 1");
        once.replace("warmup_epochs = 1", "warmup_epochs = 0")
    });
    example(&bench);
    fs::write(bench.path("photos/test/one/1.png"), "no image").unwrap();
    let (code, stderr) = ended(&bench.train("run", 9).output().unwrap());
    assert_eq!(code, 1, "{stderr}");
    let error = stderr.lines().last().unwrap();
    let way = "; train.on_error = \"skip\" leaves out what cannot be read (--set train.on_error=skip, also for eval and train \
               --resume), and `fmicl check --files` finds all of it";
    assert!(
        error.starts_with("error: photos/test/one/1.png: ") && error.ends_with(way),
        "{error}"
    );
    // The way out is one.
    let mut again = bench.train("run", 9);
    let (code, stderr) = ended(&again.args(["--set", "train.on_error=skip"]).output().unwrap());
    assert_eq!(code, 0, "{stderr}");
    let result = fs::read_to_string(bench.path("run/result.json")).unwrap();
    assert!(result.contains("\"unreadable\": 1"), "{result}");
}

#[test]
fn one_folder_of_both_splits_counts_a_broken_image_once() {
    let bench = Bench::new(|text| {
        let once = photos(text).replace("epochs = 1000", "epochs = 1, on_error = 'skip'");
        let once = once.replace("warmup_epochs = 1", "warmup_epochs = 0");
        once.replace(r#"root = "photos""#, r#"root = "photos", test = "train""#)
    });
    example(&bench);
    halve(&bench.path("photos/train/one/3.png"));
    let mut train = bench.train("run", 9);
    let output = train.output().unwrap();
    let (code, stderr) = ended(&output);
    assert_eq!(code, 0, "{stderr}");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("(1 samples of both splits could not be read)"),
        "{table}"
    );
    // Nine of one class.
    assert!(table.contains("up to 10 labels a class"), "{table}");
    assert!(
        table.contains("random choices of 19 samples, as 1 of 2 classes have fewer than 10.\n"),
        "{table}"
    );
    assert_eq!(stderr.matches(" is left out: ").count(), 1, "{stderr}");
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
    let differs = "error: run: the run has seed = 0, not 3, train.lr = 0.01, not 0.02; only device, engine, eval, ";
    assert!(code == 2 && refused.starts_with(differs), "{refused}");
    assert!(
        refused.ends_with("set it back, or start a new run with another --out\n"),
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
