//! `fmicl runs`, `fmicl diff` and `fmicl watch` on runs that were trained, killed and made up.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "these tests need a part of it")]
#[path = "support/bench.rs"]
mod bench;
#[path = "support/experiment.rs"]
mod experiment;
#[cfg(target_os = "linux")]
#[path = "support/pty.rs"]
mod pty;
#[cfg(target_os = "linux")]
#[path = "runs/terminal.rs"]
mod terminal;

use bench::{Bench, wait_until};
use serde_json::Value;
use std::fs;
use std::process::{Command, Output};

/// A command in the bench's folder.
fn fmicl(bench: &Bench, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    command
        .current_dir(bench.folder.path())
        .env("OMP_NUM_THREADS", "1")
        .args(args);
    command
}

/// Stdout of one that succeeds.
fn shown(bench: &Bench, args: &[&str]) -> String {
    let output = fmicl(bench, args).output().unwrap();
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    assert_eq!(stderr, "", "{args:?}");
    text(&output.stdout)
}

/// The exit code and the one line of one that fails.
fn refused(bench: &Bench, args: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = fmicl(bench, args).output().unwrap();
    assert!(stdout.is_empty(), "{}", text(&stdout));
    let stderr = text(&stderr);
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    (status.code().unwrap(), stderr.trim_end().to_string())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(bench: &Bench, args: &[&str]) -> Value {
    serde_json::from_str(&shown(bench, args)).unwrap()
}

#[test]
fn a_finished_run_and_a_killed_one_are_listed_compared_and_watched() {
    let bench = Bench::new(|text| text.replace("epochs = 3,", "epochs = 2,"));
    let stderr = bench.finish("runs/a", 100);
    // A line an epoch, with its time, where there is no terminal.
    let epochs: Vec<_> = stderr.lines().filter(|line| line.contains("Z  INFO epoch ")).collect();
    assert!(epochs.len() == 2 && epochs[0].find("Z ") == Some(19), "{stderr}");
    let mut second = bench.train("runs/b", 100_000);
    second.args(["--set", "seed=1", "--set", "train.epochs=5000", "--set", "eval.every=1"]);
    let mut child = second
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let metrics = bench.path("runs/b/metrics.jsonl");
    wait_until(&mut child, "an epoch", || {
        fs::read_to_string(&metrics).is_ok_and(|text| text.lines().count() > 2)
    });
    let running = json(&bench, &["runs", "--json"]);
    let watched = shown(&bench, &["watch", "runs/b"]);
    child.kill().unwrap();
    child.wait().unwrap();
    // A line that was cut off.
    fs::write(&metrics, fs::read_to_string(&metrics).unwrap() + "{\"epoch\":").unwrap();

    let of = |listed: &Value, name: &str| {
        listed
            .as_array()
            .unwrap()
            .iter()
            .find(|run| run["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(of(&running, "runs/a")["state"], "finished");
    assert_eq!(of(&running, "runs/b")["state"], "running");
    let first = watched.lines().next().unwrap();
    assert!(first.starts_with("runs/b: running, last sign of life "), "{watched}");
    for part in [
        "/5000  step ",
        "/15000  ",
        " left  ",
        " samples/s  ",
        "process ",
        "\nloss ",
        "\nknn.accuracy ",
    ] {
        assert!(watched.contains(part), "{part:?}: {watched}");
    }

    let listed = json(&bench, &["runs", "runs", "--json"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let (a, b) = (of(&listed, "runs/a"), of(&listed, "runs/b"));
    assert_eq!((&a["state"], &b["state"]), (&"finished".into(), &"broken-off".into()));
    assert_eq!(
        (&a["epochs"], &a["epochs_planned"], &a["steps_planned"]),
        (&2.into(), &2.into(), &6.into())
    );
    assert!(b["epochs"].as_f64().unwrap() >= 3.0 && b["steps_planned"] == 15000);
    assert_eq!(a["config"]["objective.divergence"], "kl");
    assert_eq!(
        (&a["config"]["train.epochs"], &a["config"]["train.sync_batch_norm"]),
        (&2.into(), &false.into())
    );
    // What a run lacks is null, and every run has the same names.
    assert!(a["sweep"].is_null() && a["why"].is_null());
    let names = |run: &Value, group: &str| run[group].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for group in ["metrics", "best", "changed"] {
        assert_eq!(names(&a, group), names(&b, group), "{group}");
    }
    assert!(a["best"]["knn.accuracy"].is_null() && b["best"]["knn.accuracy"].is_number());
    let changed = |run: &Value| run["changed"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(changed(&a), ["eval.every", "seed", "train.epochs"]);
    let result: Value = serde_json::from_slice(&fs::read(bench.path("runs/a/result.json")).unwrap()).unwrap();
    let reported = fmicl_runner_metric(&result);
    assert_eq!(a["metrics"]["knn.accuracy"].as_f64(), Some(reported));
    assert!(b["best"]["knn.accuracy"].as_f64() >= b["metrics"]["knn.accuracy"].as_f64());

    let table = shown(&bench, &["runs"]);
    let lines: Vec<&str> = table.lines().collect();
    for head in [
        "state",
        "run",
        "every",
        "seed",
        "epochs",
        "knn.accuracy",
        "best.knn.accuracy",
        "done",
        "time",
    ] {
        assert!(lines[0].split_whitespace().any(|word| word == head), "{head}: {table}");
    }
    assert!(lines[1].starts_with("finished") && lines[1].contains("2/2"), "{table}");
    assert!(
        lines[2].starts_with("broken-off, ") && lines[2].contains(" ago  runs/b"),
        "{table}"
    );

    let names = |args: &[&str]| -> Vec<String> {
        let listed = json(&bench, &[&["runs", "--json"], args].concat());
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["name"].as_str().unwrap().to_string())
            .collect()
    };
    assert_eq!(names(&["--where", "seed=1"]), ["runs/b"]);
    assert_eq!(
        names(&["--where", "state=finished", "--where", "objective.divergence=kl"]),
        ["runs/a"]
    );
    assert_eq!(names(&["--where", "train.epochs>=5000"]), ["runs/b"]);
    // The value itself, and none beside it.
    assert_eq!(names(&["--where", "train.epochs>=2"]), ["runs/a", "runs/b"]);
    assert_eq!(names(&["--where", "train.epochs>2"]), ["runs/b"]);
    assert_eq!(names(&["--where", "train.epochs<=2"]), ["runs/a"]);
    // Headings of the table are keys.
    assert_eq!(names(&["--where", "every=1"]), ["runs/b"]);
    assert_eq!(names(&["--where", "run=runs/a", "--sort", "time"]), ["runs/a"]);
    assert_eq!(names(&["--where", "knn>200"]), [""; 0]);
    assert_eq!(names(&["--sort", "-seed"]), ["runs/b", "runs/a"]);
    assert_eq!(names(&["--sort", "train.epochs"]), ["runs/a", "runs/b"]);
    let csv = shown(&bench, &["runs", "--csv"]);
    assert!(csv.starts_with("state,why,name,sweep,started,seen,seconds,"), "{csv}");
    assert_eq!(csv.lines().count(), 3);

    let differ = json(&bench, &["diff", "runs/a", "runs/b", "--json"]);
    assert_eq!(differ["config"]["seed"], serde_json::json!([0, 1]));
    assert_eq!(differ["config"].as_object().unwrap().len(), 3);
    let knn = &differ["metrics"]["knn.accuracy"];
    let [first, second] = [0, 1].map(|run| knn["values"][run].as_f64().unwrap());
    assert_eq!(knn["difference"].as_f64(), Some(second - first));
    let text = shown(&bench, &["diff", "runs/a", "runs/b"]);
    assert!(text.contains("\ntrain.epochs  2  5000\n"), "{text}");
    assert!(
        text.ends_with("\nprovenance: the same program, machine and data\n"),
        "{text}"
    );
    let same = shown(&bench, &["diff", "runs/a", "runs/a"]);
    assert!(same.contains("\nconfig: no key differs\n"), "{same}");
}

/// The accuracy of kNN on the trained encoder.
fn fmicl_runner_metric(result: &Value) -> f64 {
    let reports = result["reports"].as_array().unwrap().iter();
    let mut own =
        reports.filter(|report| report["evaluation"] == "knn" && report["representation"] == "trained encoder");
    let metrics = own.next().unwrap()["metrics"].as_array().unwrap().clone();
    let accuracy = metrics.iter().find(|metric| metric["name"] == "accuracy").unwrap();
    accuracy["value"].as_f64().unwrap()
}

/// A run of which there is little.
fn make(bench: &Bench, path: &str, lr: f64) {
    let run = bench.path(path);
    fs::create_dir_all(&run).unwrap();
    let config = format!(
        "seed = 0\n[objective]\nname = \"f-micl\"\n[objective.divergence]\nname = \"kl\"\n[train]\nepochs = 4\nlr = {lr}\n"
    );
    fs::write(run.join("config.toml"), config).unwrap();
    fs::write(run.join("metrics.jsonl"), "{\"epoch\":1,\"step\":3,\"loss\":2.5}\n").unwrap();
}

#[test]
fn what_is_wrong_is_one_line_with_what_would_work() {
    let bench = Bench::new(str::to_string);
    let none = "error: .: no run here, nor five folders below; name a folder that `train --out` or `sweep --out` wrote to, or one above it";
    assert_eq!(refused(&bench, &["runs"]), (1, none.into()));
    make(&bench, "runs/a", 0.1);
    let runs = |args: &[&str]| refused(&bench, &[&["runs"], args].concat());
    assert_eq!(
        runs(&["rnus"]),
        (
            1,
            "error: rnus: there is no such folder (did you mean `runs`?); name a folder with runs in it".into()
        )
    );
    assert_eq!(
        runs(&["x.toml"]),
        (1, "error: x.toml: is a file; name a folder with runs in it".into())
    );
    let key = "no run here has a key named `objective.divergense` (did you mean `objective.divergence`?); --csv and --json have all of them";
    assert_eq!(
        runs(&["--where", "objective.divergense=js"]),
        (2, format!("error: --where objective.divergense=js: {key}"))
    );
    assert_eq!(
        runs(&["--sort", "-objective.divergense"]).1,
        format!("error: --sort -objective.divergense: {key}")
    );
    for (condition, why) in [
        (
            "lr",
            "is no condition: write KEY=VALUE, with one of the signs != >= <= = > <",
        ),
        (
            "state=finish",
            "no state is named `finish` (did you mean `finished`?); there are running, finished, ",
        ),
        ("train.lr>much", "`train.lr` is a number, and `much` is none"),
        ("seed=x", "`seed` is a number, and `x` is none"),
        (
            "seed==0",
            "there is no sign `==`: write seed=0, or one of the signs != >= <= = > <",
        ),
        ("train.lr=>0.1", "there is no sign `=>`: write train.lr=0.1, or one of "),
    ] {
        let (code, line) = runs(&["--where", condition]);
        assert!(
            code == 2 && line.starts_with(&format!("error: --where {condition}: {why}")),
            "{line}"
        );
    }
    let none = shown(&bench, &["runs", "--where", "divergence=kk"]);
    assert_eq!(none, "no run has objective.divergence=kk; there is kl\n");
    let none = shown(&bench, &["runs", "--where", "train.lr=7"]);
    assert_eq!(none, "no run has train.lr=7; there is 0.1\n");
    assert_eq!(
        json(&bench, &["runs", "--where", "train.lr=7", "--json"]),
        serde_json::json!([])
    );
    assert!(
        refused(&bench, &["diff", "runs/a", "runs"])
            .1
            .contains("is not a run directory")
    );
    assert_eq!(
        refused(&bench, &["watch", "runs"]).1,
        "error: runs: is neither a run nor a sweep; name the one in it, runs/a"
    );
    let nothing = refused(&bench, &["watch", "rnus"]).1;
    assert_eq!(
        nothing,
        "error: rnus: there is no such folder (did you mean `runs`?); name a folder that `train` or `sweep` wrote"
    );
    let curve = refused(&bench, &["watch", "runs/a", "--curve", "los"]);
    assert_eq!(
        curve,
        (
            2,
            "error: --curve: no curve is named `los` (did you mean `loss`?); there are loss".into()
        )
    );
}

#[test]
fn a_thousand_runs_and_hostile_names_are_listed() {
    let bench = Bench::new(str::to_string);
    for run in 0..1000 {
        make(&bench, &format!("runs/x-{run}"), f64::from(run));
    }
    make(&bench, "runs/a\n\u{1b}[2J\u{202e}b", 0.5);
    fs::write(bench.path("runs/x-7/config.toml"), "[train").unwrap();
    let output = fmicl(&bench, &["runs", "--sort", "-train.lr"]).output().unwrap();
    let (table, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(table.lines().nth(1).unwrap().contains("runs/x-999 "), "{table}");
    assert!(table.contains("runs/a\\n\\u{1b}[2J\\u{202e}b"));
    assert_eq!(
        table
            .lines()
            .filter(|line| line.contains(" runs/") && line.contains("1/4"))
            .count(),
        1000
    );
    // Of the damaged one it is said what is wrong, in the table and before it.
    let damaged = |line: &str| line.starts_with("unknown ") && line.contains(" runs/x-7 ") && line.contains("1/?");
    assert!(table.lines().any(damaged), "{table}");
    assert!(
        stderr.lines().count() == 1 && stderr.contains("x-7/config.toml: is not a run's"),
        "{stderr}"
    );
}

#[test]
fn a_sweep_is_one_row_and_its_runs_are_shown_on_request() {
    let bench = Bench::new(str::to_string);
    make(&bench, "sweeps/s/runs/kl_seed-0", 0.1);
    make(&bench, "sweeps/s/runs/js_seed-0", 0.2);
    fs::write(bench.path("sweeps/s/runs/js_seed-0/failed.txt"), "no memory\n").unwrap();
    fs::write(bench.path("sweeps/s/.fmicl.lock"), "").unwrap();
    fs::write(bench.path("sweeps/s/results.csv"), "state\nwaiting\nwaiting\nwaiting\n").unwrap();
    make(&bench, "runs/a", 0.1);
    let table = shown(&bench, &["runs"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("failed") && line.contains("0/3 runs, 1 failed")),
        "{table}"
    );
    assert_eq!(lines[3], "sweeps/s/runs/js_seed-0: failed: no memory");
    let cells = shown(&bench, &["runs", "--cells", "--where", "train.lr=0.2"]);
    assert!(
        cells.contains(" sweeps/s/runs/js_seed-0 ") && !cells.contains("kl_seed-0"),
        "{cells}"
    );
    let filtered = shown(&bench, &["runs", "--where", "train.lr=0.2"]);
    assert!(
        filtered.contains("sweeps/s ") && filtered.contains("0/1 runs, 1 failed"),
        "{filtered}"
    );
    // What takes runs alone says what a sweep is, and what takes it.
    let cell = "sweeps/s/runs/js_seed-0";
    let line = format!(
        "error: sweeps/s: is a sweep, and runs are compared: name runs of it, such as {cell}; `fmicl runs --cells sweeps/s` lists them"
    );
    assert_eq!(refused(&bench, &["diff", "runs/a", "sweeps/s"]), (2, line));
    let line =
        "error: sweeps/s: is a sweep, which has a page of its own: name it alone, or runs of it, in sweeps/s/runs";
    assert_eq!(refused(&bench, &["report", "runs/a", "sweeps/s"]), (2, line.into()));
    let line = "error: --checkpoint: the page of a sweep is of its files alone; name one of its runs, in its folder runs, for its encoder";
    assert_eq!(
        refused(&bench, &["report", "sweeps/s", "--checkpoint", "best"]),
        (2, line.into())
    );
    let line = "error: sweeps/s: is a sweep, not a run directory: name one of its runs, in sweeps/s/runs; `report`, `runs` and `watch` \
                take the whole sweep";
    assert_eq!(refused(&bench, &["eval", "sweeps/s"]), (1, line.into()));
    let watched = shown(&bench, &["watch", "sweeps/s"]);
    assert!(
        watched.starts_with("sweeps/s: 0/3 runs finished, 1 failed, 1 broken-off; no process works on it\n"),
        "{watched}"
    );
    assert!(
        watched.contains("\n  failed js_seed-0\n  broken-off 25 % kl_seed-0\n"),
        "{watched}"
    );
}

#[test]
fn trackers_take_no_column_and_several_keys_of_one_end_are_told() {
    let bench = Bench::new(str::to_string);
    for (path, number) in [("runs/a", 1), ("runs/b", 2)] {
        make(&bench, path, 0.1);
        let more = format!("trackers = [\"jsonl\", \"x{number}\"]\n[a]\nk = {number}\n[b]\nk = {number}\n");
        let file = bench.path(path).join("config.toml");
        let config = fs::read_to_string(&file).unwrap();
        fs::write(&file, more.replace("[a]", &format!("{config}[a]"))).unwrap();
    }
    let table = shown(&bench, &["runs"]);
    let head = table.lines().next().unwrap();
    assert!(!head.contains("trackers") && head.contains("a.k"), "{table}");
    let listed = json(&bench, &["runs", "--json"]);
    assert_eq!(listed[0]["changed"]["trackers"], serde_json::json!(["jsonl", "x1"]));
    assert!(shown(&bench, &["runs", "--where", "a.k=2"]).contains("runs/b"));
    let several = refused(&bench, &["runs", "--where", "k=1"]);
    assert_eq!(
        several,
        (
            2,
            "error: --where k=1: `k` is the end of several keys: write a.k or b.k".into()
        )
    );
}

#[test]
fn a_run_that_failed_says_why_in_the_first_line_of_its_file() {
    let bench = Bench::new(str::to_string);
    make(&bench, "runs/a", 0.1);
    fs::write(bench.path("runs/a/failed.txt"), "\n  the disk is full\nand more\n").unwrap();
    make(&bench, "runs/b", 0.1);
    fs::write(bench.path("runs/b/failed.txt"), "").unwrap();
    let table = shown(&bench, &["runs"]);
    assert!(table.contains("\nruns/a: failed: the disk is full\n"), "{table}");
    assert!(
        table.contains("\nruns/b: failed: failed.txt does not say why\n"),
        "{table}"
    );
}
