//! Tests against a server that fails in every way.

use super::fake::{Fake, Mood};
use super::spool::{Of, Status, parse};
use super::*;
use fmicl_core::testing::check_tracker_by;
use fmicl_core::toml::Table;
use fmicl_core::{MetricValue, Part};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn tracker(uri: &str) -> Mlflow {
    Mlflow {
        uri: Some(uri.into()),
        ..Mlflow::default()
    }
}

fn open(uri: &str, folder: &Path, steps: u64) -> Box<dyn Tracking> {
    let run = TrackedRun {
        folder,
        epochs: (steps / 3) as usize,
        steps,
        config: &"seed = 1\n[train]\nschedule = 'cosine'".parse().unwrap(),
    };
    tracker(uri).open(&run).unwrap()
}

/// Takes the steps behind `from` up to `to`, with three in an epoch. The waiting time is another one each time.
fn take(tracking: &mut dyn Tracking, from: u64, to: u64) {
    for step in from + 1..=to {
        let waiting = RandomState::new().hash_one(step) as f64;
        let values = [("loss", step as f64 / 7.0), ("waiting", waiting)];
        let values = values
            .map(|(name, value)| (name.to_string(), MetricValue::Number(value)))
            .into();
        let epoch = (step as usize).div_ceil(3);
        tracking.step(Moment { epoch, step }, &values).unwrap();
        if step % 3 == 0 {
            tracking.epoch(Moment { epoch, step }, &values).unwrap();
        }
    }
}

/// What a server must have of nine steps: each once.
fn check(fake: &Fake) {
    let got = fake.got.lock().unwrap();
    assert_eq!(got.runs.len(), 1, "one run");
    let mut counts = BTreeMap::new();
    for (key, _, step, _) in &got.metrics {
        *counts.entry((key.as_str(), *step)).or_insert(0) += 1;
    }
    let steps = (1..=9).flat_map(|step| [("step/loss", step), ("step/waiting", step)]);
    let epochs = [3, 6, 9]
        .into_iter()
        .flat_map(|step| [("epoch/loss", step), ("epoch/waiting", step)]);
    let expected: BTreeMap<_, _> = steps
        .chain(epochs)
        .chain([("result/knn/accuracy", 9)])
        .map(|of| (of, 1))
        .collect();
    assert_eq!(counts, expected);
    let loss = got
        .metrics
        .iter()
        .find(|(key, _, step, _)| key == "step/loss" && *step == 5);
    assert_eq!(loss.unwrap().3, (5.0f64 / 7.0).to_string());
    assert_eq!(got.status.last().unwrap(), "FINISHED");
    let params = [("seed", "1"), ("train.schedule", "cosine")];
    assert_eq!(
        got.params[..2],
        params.map(|(key, value)| (key.to_string(), value.to_string()))
    );
}

fn finish(mut tracking: Box<dyn Tracking>) {
    let result = vec![("evaluations/knn/accuracy".to_string(), MetricValue::Number(93.0))];
    tracking.end(Ending::Finished(&result)).unwrap();
}

#[test]
fn a_server_that_is_there_gets_everything_once_and_nothing_twice() {
    let (fake, folder) = (Fake::start(), tempfile::tempdir().unwrap());
    let mut tracking = open(&fake.uri, folder.path(), 0);
    take(&mut *tracking, 0, 9);
    finish(tracking);
    check(&fake);
    let requests = fake.got.lock().unwrap().requests;
    // A finished run that is looked at again.
    drop(open(&fake.uri, folder.path(), 9));
    finish(open(&fake.uri, folder.path(), 9));
    assert_eq!(fake.got.lock().unwrap().requests, requests);
    check(&fake);
}

#[test]
fn what_a_server_could_not_take_is_sent_when_the_run_is_resumed() {
    let (fake, folder) = (Fake::start(), tempfile::tempdir().unwrap());
    fake.mood(Mood::Down);
    let mut tracking = open(&fake.uri, folder.path(), 0);
    take(&mut *tracking, 0, 5);
    tracking.end(Ending::Failed).unwrap();
    drop(tracking);
    // Its steps 4 and 5 come again.
    let mut tracking = open(&fake.uri, folder.path(), 3);
    take(&mut *tracking, 3, 9);
    finish(tracking);
    assert!(fake.got.lock().unwrap().runs.is_empty());
    fake.mood(Mood::Up);
    drop(open(&fake.uri, folder.path(), 9));
    check(&fake);
}

#[test]
fn answers_that_are_lost_double_nothing() {
    for request in 1..=7 {
        let (fake, folder) = (Fake::start(), tempfile::tempdir().unwrap());
        fake.mood(Mood::Mute(request));
        let mut tracking = open(&fake.uri, folder.path(), 0);
        take(&mut *tracking, 0, 4);
        drop(tracking);
        assert!(fake.got.lock().unwrap().requests >= request.min(6), "{request}");
        fake.mood(Mood::Up);
        // Killed before its first checkpoint.
        let mut tracking = open(&fake.uri, folder.path(), 0);
        take(&mut *tracking, 0, 9);
        finish(tracking);
        check(&fake);
    }
}

#[test]
fn a_torn_line_is_recorded_again_and_another_server_gets_all_of_it() {
    let (fake, folder) = (Fake::start(), tempfile::tempdir().unwrap());
    let nobody = "http://127.0.0.1:9";
    let mut tracking = open(nobody, folder.path(), 0);
    take(&mut *tracking, 0, 5);
    drop(tracking);
    let path = folder.path().join("mlflow.jsonl");
    let lines = fs::read(&path).unwrap();
    fs::write(&path, &lines[..lines.len() - 4]).unwrap();
    let mut tracking = open(&fake.uri, folder.path(), 3);
    take(&mut *tracking, 3, 9);
    finish(tracking);
    check(&fake);
}

#[test]
fn a_damaged_line_in_the_middle_costs_that_line_alone() {
    let (fake, folder) = (Fake::start(), tempfile::tempdir().unwrap());
    drop({
        let mut tracking = open("http://127.0.0.1:9", folder.path(), 0);
        take(&mut *tracking, 0, 8);
        tracking
    });
    let path = folder.path().join("mlflow.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    let at = String::from_utf8_lossy(&bytes).find("\"step\":4").unwrap();
    bytes[at] = 0xff;
    fs::write(&path, &bytes).unwrap();
    let mut tracking = open(&fake.uri, folder.path(), 8);
    take(&mut *tracking, 8, 9);
    finish(tracking);
    assert!(fs::read(&path).unwrap().starts_with(&bytes));
    let got = fake.got.lock().unwrap();
    let mut steps: Vec<_> = got
        .metrics
        .iter()
        .filter(|(key, ..)| key == "step/loss")
        .map(|(_, _, step, _)| *step)
        .collect();
    steps.sort_unstable();
    assert_eq!(steps, [1, 2, 3, 5, 6, 7, 8, 9]);
}

#[test]
fn a_file_that_is_removed_while_training_begins_anew_and_is_sent() {
    let (fake, folder) = (Fake::start(), tempfile::tempdir().unwrap());
    let mut tracking = open(&fake.uri, folder.path(), 0);
    take(&mut *tracking, 0, 5);
    let steps = || {
        fake.got
            .lock()
            .unwrap()
            .metrics
            .iter()
            .map(|(_, _, step, _)| *step)
            .max()
    };
    while steps() != Some(5) {
        std::thread::yield_now();
    }
    fs::remove_file(folder.path().join("mlflow.jsonl")).unwrap();
    take(&mut *tracking, 5, 9);
    finish(tracking);
    check(&fake);
}

/// The lines but for the time, and for what was said of the process between.
#[test]
fn a_run_that_was_killed_has_the_lines_of_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |folder: &Path| {
        let text = fs::read(folder.join("mlflow.jsonl")).unwrap();
        let lines = text
            .split_inclusive(|&byte| byte == b'\n')
            .map(|line| parse(line).unwrap());
        let counts = |of: Of| !matches!(of, Of::Status { status, .. } if status != Status::Finished);
        let lines = lines.filter(|line| counts(line.of));
        lines.map(|line| format!("{:?} {:?}", line.of, line.metrics)).collect()
    };
    check_tracker_by(&tracker("http://127.0.0.1:9"), folder.path(), &shown);
}

#[test]
fn numbers_that_are_not_finite_and_odd_names_have_forms_that_a_server_takes() {
    let folder = tempfile::tempdir().unwrap();
    let mut tracking = open("http://127.0.0.1:9", folder.path(), 0);
    let values = [
        ("a, b", f64::NAN),
        ("c", f64::INFINITY),
        ("d", f64::NEG_INFINITY),
        ("e", 1e-300),
    ];
    let values = values
        .map(|(name, value)| (name.to_string(), MetricValue::Number(value)))
        .into();
    tracking.step(Moment { epoch: 1, step: 1 }, &values).unwrap();
    let line = fs::read_to_string(folder.path().join("mlflow.jsonl")).unwrap();
    let expected = r#""metrics":[["step/a_ b","NaN"],["step/c","Infinity"],["step/d","-Infinity"],["step/e",1e-300]]}"#;
    assert!(line.ends_with(&format!("{expected}\n")), "{line}");
    let metrics = parse(line.as_bytes()).unwrap().metrics;
    let number = |value: f64| spool::Number::from(value);
    let expected = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-300].map(number);
    assert_eq!(metrics.iter().map(|(_, value)| *value).collect::<Vec<_>>(), expected);
}

#[test]
fn an_address_that_is_no_servers_and_a_state_that_is_no_runs_are_refused() {
    let options = Table::from_iter([("uri".to_string(), "sqlite:///x.db".into())]);
    let error = Part::<dyn Tracker>::new("mlflow", options).unwrap_err().to_string();
    assert_eq!(
        error,
        "uri: \"sqlite:///x.db\" is not the address of a server, such as \"http://localhost:5000\""
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mlflow.json"), "{").unwrap();
    let run = TrackedRun {
        folder: folder.path(),
        epochs: 0,
        steps: 0,
        config: &Table::new(),
    };
    let error = tracker("http://127.0.0.1:9").open(&run).err().unwrap().to_string();
    assert!(
        error.contains("mlflow.json: is not a run's (") && error.lines().count() == 1,
        "{error}"
    );
}

#[test]
fn a_run_of_any_config_is_taken() {
    let (fake, folder) = (Fake::start(), tempfile::tempdir().unwrap());
    let long = "x".repeat(9000);
    let text = format!("'' = 1\n'a,b' = 2\n'a;b' = 3\n'ä/../ö' = ''\n'{long}' = '{long}'\n'{long}y' = 4");
    let run = TrackedRun {
        folder: folder.path(),
        epochs: 0,
        steps: 0,
        config: &text.parse().unwrap(),
    };
    let mut tracking = tracker(&fake.uri).open(&run).unwrap();
    let values = ["", "a;b", "a,b", &long, "//"].map(|name| (name.to_string(), MetricValue::Number(1.0)));
    tracking.step(Moment { epoch: 1, step: 1 }, &values.into()).unwrap();
    tracking.end(Ending::Stopped).unwrap();
    let got = fake.got.lock().unwrap();
    assert_eq!((got.params.len(), got.metrics.len(), &*got.status[0]), (6, 5, "KILLED"));
}

#[test]
fn another_spelling_of_the_address_is_the_same_run() {
    let (fake, folder) = (Fake::start(), tempfile::tempdir().unwrap());
    let mut tracking = open(&fake.uri, folder.path(), 0);
    take(&mut *tracking, 0, 3);
    drop(tracking);
    let mut tracking = open(&format!("{}//", fake.uri.replace("http", "HTTP")), folder.path(), 3);
    take(&mut *tracking, 3, 9);
    finish(tracking);
    check(&fake);
}

/// The server takes a request and never answers: the end does not wait for its answer.
#[test]
fn the_end_does_not_wait_for_a_server_that_hangs() {
    let (fake, folder) = (Fake::start(), tempfile::tempdir().unwrap());
    fake.mood(Mood::Hang);
    let about = About {
        experiment: "fmicl".into(),
        name: "x".into(),
        id: "x".into(),
        start: 0,
        params: Vec::new(),
    };
    let mut spool = Spool::open(folder.path().join("mlflow.jsonl")).unwrap();
    spool.step(Moment { epoch: 1, step: 1 }, &MetricValues::new(), names::of_step);
    let path = folder.path().join("mlflow.json");
    let state = State::read(&path, &fake.uri, || "x".into()).unwrap();
    let lines = (spool.file.path().to_path_buf(), spool.file.good());
    let mut sender = Sender::start(Server::new(&fake.uri), about, lines, (path, state));
    let held = || {
        fake.got
            .lock()
            .unwrap()
            .held
            .last()
            .map(|stream| stream.try_clone().unwrap())
    };
    let stream = loop {
        if let Some(stream) = held() {
            break stream;
        }
        std::thread::yield_now();
    };
    sender.end(std::time::Duration::from_millis(50));
    stream.set_nonblocking(true).unwrap();
    let still = stream.peek(&mut [0]).unwrap_err().kind();
    assert_eq!(still, std::io::ErrorKind::WouldBlock, "the request is still open");
    drop(sender);
    // Another process sends the line.
    fake.mood(Mood::Up);
    drop(open(&fake.uri, folder.path(), 1));
    assert_eq!(fake.got.lock().unwrap().runs.len(), 1);
}
