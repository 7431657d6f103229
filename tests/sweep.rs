//! `fmicl sweep` as a user meets it, with runs of a second, and the sweeps of this repository.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[cfg(unix)]
#[path = "support/hangups.rs"]
mod hangups;

use fmicl_runner::train::EPOCH_METRICS;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const EXPERIMENT: &str = r#"
dataset = { name = "subset", train = 40, of = "digits" }
backbone = { name = "resnet", depth = 18, stem = "cifar", width = 4 }
architecture = { name = "simclr", out = 8 }
objective = { name = "f-micl", divergence = "kl", similarity = "gaussian" }
optimizer = "sgd"
device = "cpu"
views.size = 8
train = { epochs = 1, batch_size = 20, lr = 0.01 }
evaluations = { knn.k = 5, linear.max_iter = 2 }
"#;

/// Two runs, and a third that fails where `lr` is beyond reason.
fn folder(third: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.toml"), EXPERIMENT).unwrap();
    let sweep = format!(
        "experiment = 'x.toml'\n[[axis]]\nname = 'run'\nvalues = [\n\
         {{ label = 'kl', set = [] }},\n{{ label = 'js', set = ['objective.divergence=js'] }},\n{third}]"
    );
    fs::write(folder.path().join("sweep.toml"), sweep).unwrap();
    folder
}

fn sweep(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    command.arg("sweep").arg(folder.join("sweep.toml"));
    command
        .arg("--out")
        .arg(folder.join("out"))
        .args(args)
        .env("OMP_NUM_THREADS", "1");
    command
}

/// The exit code, stdout and stderr.
fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = sweep(folder, args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn result(folder: &Path, run: &str) -> PathBuf {
    folder.join("out/runs").join(run).join("result.json")
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn what_is_done_is_kept_and_what_was_broken_off_goes_on() {
    let folder = folder("");
    let folder = folder.path();
    let (code, table, _) = run(folder, &["--jobs", "2"]);
    assert_eq!(code, 0, "{table}");
    for file in ["results.csv", "table.md", "plot.svg"] {
        assert!(folder.join("out").join(file).is_file(), "{file}");
    }
    let (kl, js) = (result(folder, "kl_seed-0"), result(folder, "js_seed-0"));
    let (kept, before) = (fs::read(&kl).unwrap(), json(&js));

    // The numbers of an epoch are those that were known before.
    let epoch = fs::read_to_string(folder.join("out/runs/js_seed-0/metrics.jsonl")).unwrap();
    let epoch: serde_json::Value = serde_json::from_str(epoch.lines().next().unwrap()).unwrap();
    let terms = ["f_mi", "reward", "penalty", "balance", "shift", "mean_ratio"];
    let measured = |name: &str| {
        epoch
            .pointer(&format!("/{name}"))
            .is_some_and(serde_json::Value::is_number)
    };
    assert!(EPOCH_METRICS.iter().all(|name| measured(name)), "{epoch}");
    let known: Vec<&str> = EPOCH_METRICS.into_iter().chain(terms).collect();
    for (name, value) in epoch.as_object().unwrap() {
        let inner = value
            .as_object()
            .filter(|_| name == "projections")
            .into_iter()
            .flatten();
        let inner = inner.map(|(inner, value)| (format!("{name}/{inner}"), value));
        for (name, _) in inner
            .chain([(name.clone(), value)])
            .filter(|(_, value)| value.is_number())
        {
            assert!(known.contains(&&*name), "{name} in {epoch}");
        }
    }

    // As a kill leaves it: half a run.
    let dir = js.parent().unwrap();
    fs::remove_dir_all(dir).unwrap();
    let mut half = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    half.arg("train").arg(folder.join("x.toml")).arg("--out").arg(dir);
    half.args(["--set", "objective.divergence=js", "--stop-after", "1"]);
    assert!(half.env("OMP_NUM_THREADS", "1").output().unwrap().status.success());
    let (code, table, _) = run(folder, &[]);
    assert_eq!(code, 0, "{table}");
    assert!(table.contains("2 runs, 1 of them done"), "{table}");
    assert_eq!(fs::read(&kl).unwrap(), kept, "it was not run again");
    let log = fs::read_to_string(dir.join("log.txt")).unwrap();
    assert!(log.contains("resumes after step 1 of 2"), "{log}");
    assert_eq!(
        json(&js)["reports"],
        before["reports"],
        "one seed, one number of threads: the same numbers"
    );
    let segments = json(&js)["segments"].clone();
    assert_eq!(
        (&segments[0]["threads"], &segments[1]["threads"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        (&segments[0]["from_step"], &segments[1]["from_step"]),
        (&0.into(), &1.into())
    );

    // Before it had a config.
    fs::remove_dir_all(dir).unwrap();
    fs::create_dir_all(dir.join("checkpoints")).unwrap();
    fs::write(dir.join(".fmicl.lock"), "").unwrap();
    assert_eq!(run(folder, &[]).0, 0);
    assert_eq!(json(&js)["reports"], before["reports"]);

    let (code, _, error) = run(folder, &["--set", "train.lr=0.02"]);
    assert_eq!(code, 1);
    assert!(
        error.contains("holds a run of another config (`train.lr = 0.01`, now `train.lr = 0.02`)"),
        "{error}"
    );
    assert_eq!(fs::read(&kl).unwrap(), kept);
}

#[test]
fn a_run_that_fails_is_told_and_the_others_go_on() {
    let folder = folder("{ label = 'wild', set = ['train.lr=1e9', 'train.epochs=3'] }");
    let folder = folder.path();
    let (code, table, error) = run(folder, &[]);
    assert_eq!((code, error.lines().count()), (1, 1), "{error}");
    assert!(error.starts_with("error: 1 of 3 runs failed;"), "{error}");
    assert!(table.contains("| wild | – (1 failed) |"), "{table}");
    assert!(table.contains("\nFailed: wild, seed 0: the loss is "), "{table}");
    assert!(result(folder, "js_seed-0").is_file());
    let (code, table, _) = run(folder, &["--only", "run=kl", "--only", "run=js"]);
    assert_eq!(code, 0, "{table}");
}

#[test]
fn every_run_is_checked_before_the_first_starts() {
    let folder = folder("{ label = 'large', set = ['train.batch_size=41'] }");
    let folder = folder.path();
    for args in [&[][..], &["--dry-run"]] {
        let (code, _, error) = run(folder, args);
        assert_eq!((code, error.lines().count()), (2, 1), "{error}");
        let expected =
            "sweep.toml:7:27: train.batch_size: 41 is more than the dataset's 40 samples; take at most that many\n";
        assert!(error.ends_with(expected), "{error}");
        assert!(!folder.join("out").exists());
    }
    let (code, list, _) = run(folder, &["--dry-run", "--only", "run=kl"]);
    assert_eq!((code, list.lines().next()), (0, Some("kl, seed 0: to run")));
}

#[test]
fn a_metric_that_no_run_will_have_is_refused_before_the_first_starts() {
    let folder = folder("");
    let folder = folder.path();
    let file = folder.join("sweep.toml");
    let text = fs::read_to_string(&file).unwrap();
    for (metric, near) in [
        ("knn.acc", "knn.accuracy"),
        ("train.uniformty", "train.uniformity"),
        ("train.reword", "train.reward"),
    ] {
        let report = format!("{text}\n[report]\nmetrics = ['knn', 'train.f-mi', '{metric}']");
        fs::write(&file, report).unwrap();
        let (code, _, error) = run(folder, &["--dry-run"]);
        assert_eq!((code, error.lines().count()), (2, 1), "{error}");
        let expected =
            format!("report.metrics[2]: no metric named `{metric}` (did you mean `{near}`?); there are knn.accuracy, ");
        assert!(error.contains(&expected), "{error}");
        assert!(!folder.join("out").exists());
    }
}

#[test]
fn what_one_run_alone_learns_can_be_a_column() {
    let folder = folder("{ label = 'learned', set = [\"objective.similarity={ name = 'gaussian', learn = true }\"] }");
    let folder = folder.path();
    let file = folder.join("sweep.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        format!("{text}\n[report]\nmetrics = ['train.sigma', 'train.mu']"),
    )
    .unwrap();
    let (code, _, error) = run(folder, &["--dry-run"]);
    assert_eq!(code, 0, "{error}");
}

#[test]
fn a_folder_has_one_sweep_at_a_time() {
    let folder = folder("");
    let folder = folder.path();
    fs::create_dir(folder.join("out")).unwrap();
    let lock = File::create(folder.join("out/.fmicl.lock")).unwrap();
    lock.lock().unwrap();
    let (code, _, error) = run(folder, &[]);
    assert_eq!(code, 1);
    assert!(
        error.contains("another sweep, or a run that it left behind, is at work here"),
        "{error}"
    );
    assert!(!folder.join("out/runs").exists());
}

/// As a terminal does, by a key or when it is closed: the sweep and its run are both told.
#[cfg(unix)]
#[test]
fn a_sweep_that_is_interrupted_says_how_to_go_on_and_its_run_saves_a_checkpoint() {
    use std::os::unix::process::CommandExt;

    for (signal, code) in [("INT", 130), ("HUP", 129)] {
        let folder = folder("");
        let folder = folder.path();
        let mut command = sweep(folder, &["--set", "train.epochs=50000"]);
        hangups::hear_hangups(&mut command);
        let sweep = command
            .process_group(0)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let run = folder.join("out/runs/kl_seed-0");
        wait_until(|| run.join("metrics.jsonl").is_file());
        let group = format!("-{}", sweep.id());
        let told = Command::new("kill")
            .args([&format!("-{signal}"), "--", &group])
            .status();
        assert!(told.unwrap().success());
        let Output { status, stderr, .. } = sweep.wait_with_output().unwrap();
        let error = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(code), "{error}");
        assert_eq!(
            error,
            format!("stopped by SIG{signal}; run the same command again once the active runs have ended\n")
        );
        let log = || fs::read_to_string(run.join("log.txt")).unwrap();
        wait_until(|| log().contains(&format!("stopped by SIG{signal} after step ")));
        assert!(fs::read_dir(run.join("checkpoints")).unwrap().count() > 0);
    }
}

/// Linux tells a process's children.
#[cfg(target_os = "linux")]
#[test]
fn a_sweep_that_is_killed_leaves_its_folder_locked_until_its_run_is_over_and_then_goes_on() {
    let folder = folder("");
    let folder = folder.path();
    // Longer than this test takes.
    let mut killed = sweep(folder, &["--set", "train.epochs=50000"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let started = folder.join("out/runs/kl_seed-0/metrics.jsonl");
    wait_until(|| started.is_file());
    let children = format!("/proc/{}/task", killed.id());
    let tasks = fs::read_dir(children)
        .unwrap()
        .map(|task| task.unwrap().path().join("children"));
    let children: String = tasks.map(|task| fs::read_to_string(task).unwrap()).collect();
    killed.kill().unwrap();
    killed.wait().unwrap();

    let (code, _, error) = run(folder, &[]);
    let orphan = children.split_whitespace().next().unwrap();
    assert!(Command::new("kill").args(["-9", orphan]).status().unwrap().success());
    assert_eq!(code, 1, "{error}");
    // Its config is another: 50,000 epochs; the same command would start it again.
    fs::remove_dir_all(folder.join("out/runs")).unwrap();
    let lock = File::open(folder.join("out/.fmicl.lock")).unwrap();
    wait_until(|| lock.try_lock().is_ok());
    lock.unlock().unwrap();
    assert_eq!(run(folder, &[]).0, 0);
}

#[cfg(unix)]
fn wait_until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every TOML file below `experiments` that has axes.
fn sweeps(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sweeps(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml")
            && fs::read_to_string(&path).unwrap().contains("[[axis]]")
        {
            found.push(path);
        }
    }
}

#[test]
fn every_sweep_of_the_paper_is_ready_to_train_at_the_laptop_scale() {
    let mut found = Vec::new();
    sweeps(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/paper"),
        &mut found,
    );
    let (scaled, others): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|path| fs::read_to_string(path).unwrap().contains("scales = \"scales.toml\""));
    assert!(scaled.len() >= 6);
    // A corpus and a pretrained encoder are not embedded.
    let mut others: Vec<_> = others.iter().map(|path| path.file_name().unwrap()).collect();
    others.sort();
    assert_eq!(others, ["alpha-wikipedia.toml", "sentences.toml"]);
    for path in scaled {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
        command
            .arg("sweep")
            .arg(&path)
            .args(["--scale", "laptop", "--dry-run", "--device", "cpu"]);
        let output = command.env("OMP_NUM_THREADS", "1").output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && error.is_empty(),
            "{}: {error}",
            path.display()
        );
    }
}
