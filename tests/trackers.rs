//! Trackers side by side: what each records of a run, and that it is the same where the run was killed.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "other tests have use for all of it")]
#[path = "support/bench.rs"]
mod bench;
#[path = "../plugins/fmicl-trackers/src/tensorboard/decoder.rs"]
mod decoder;
#[path = "support/experiment.rs"]
mod experiment;

use bench::{Bench, wait_until};
use decoder::{Found, values};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Nobody answers there.
const TRACKERS: &str = "trackers = ['jsonl', 'tensorboard', { name = 'mlflow', uri = 'http://127.0.0.1:9' }]\n";
/// They measure the clock.
const OF_THE_CLOCK: [&str; 2] = ["epoch/images_per_second", "epoch/waiting"];

fn events(run: &Path) -> Vec<Found> {
    let mut files: Vec<_> = fs::read_dir(run.join("tensorboard"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().flat_map(|file| values(&fs::read(file).unwrap())).collect()
}

/// The numbers of a file of JSON lines, as scalars by the names in the event files.
fn scalars(run: &Path, file: &str, group: &str) -> Vec<Found> {
    let text = fs::read_to_string(run.join(file)).unwrap();
    let mut found = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let step = line["step"].as_u64().unwrap();
        collect(&line, &mut |name: &str, value| {
            let tag = match name.contains('/') {
                _ if ["epoch", "step"].contains(&name) => return,
                true => name.to_string(),
                false => format!("{group}/{name}"),
            };
            let scalar = Some(value as f32);
            found.push(Found { step, tag, scalar });
        });
    }
    found
}

fn collect(value: &Value, found: &mut dyn FnMut(&str, f64)) {
    for (key, value) in value.as_object().unwrap() {
        match value {
            Value::Object(_) => collect(value, &mut |name, number| found(&format!("{key}/{name}"), number)),
            Value::Number(number) => found(key, number.as_f64().unwrap()),
            _ => {}
        }
    }
}

fn sorted(mut values: Vec<Found>) -> Vec<Found> {
    values.sort_by(|a, b| (a.step, &a.tag).cmp(&(b.step, &b.tag)));
    values
}

#[test]
fn every_number_of_the_json_lines_is_a_scalar_and_a_kill_changes_none_of_them() {
    let bench = Bench::new(|text| format!("{TRACKERS}{text}"));
    let told = bench.finish("whole", 100);
    let warnings = told.lines().filter(|line| line.contains("are kept in mlflow.jsonl"));
    assert_eq!(warnings.count(), 1, "{told}");
    let whole = bench.path("whole");
    let events_of_whole = events(&whole);
    let is_scalar = |value: &Found| value.scalar.is_some() && !value.tag.starts_with("result/");
    let found = events_of_whole
        .iter()
        .filter(|value| is_scalar(value))
        .cloned()
        .collect();
    let lines = [("steps.jsonl", "step"), ("metrics.jsonl", "epoch")];
    let expected: Vec<_> = lines
        .iter()
        .flat_map(|(file, group)| scalars(&whole, file, group))
        .collect();
    assert!(expected.len() > 30, "{expected:?}");
    assert_eq!(sorted(found), sorted(expected));
    let others = events_of_whole.iter().filter(|value| value.scalar.is_none());
    let others: Vec<_> = others.map(|value| (value.step, &*value.tag)).collect();
    let cosines = [3, 6, 9].map(|step| [(step, "cosines/positive"), (step, "cosines/negative")]);
    let start = [
        (0, "config"),
        (0, "_hparams_/session_start_info"),
        (1, "views/1"),
        (1, "views/2"),
    ];
    let end = [(9, "_hparams_/session_end_info")];
    assert_eq!(others, [&start[..], cosines.as_flattened(), &end[..]].concat());
    let result: Value = serde_json::from_str(&fs::read_to_string(whole.join("result.json")).unwrap()).unwrap();
    let reports = result["reports"].as_array().unwrap();
    let trained = reports
        .iter()
        .find(|report| report["representation"] == "trained encoder" && report["evaluation"] == "knn");
    let accuracy = trained.unwrap()["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|metric| metric["name"] == "accuracy");
    let scalar = events_of_whole
        .iter()
        .find(|value| value.tag == "result/knn/accuracy")
        .unwrap()
        .scalar;
    assert_eq!(scalar, Some(accuracy.unwrap()["value"].as_f64().unwrap() as f32));

    bench.finish("parts", 4);
    let parts = bench.path("parts");
    let mut child = bench.start("parts", 100);
    let steps = parts.join("steps.jsonl");
    wait_until(&mut child, "step 6", || {
        fs::read_to_string(&steps).unwrap().contains("\"step\":6")
    });
    child.kill().unwrap();
    child.wait().unwrap();
    bench.finish("parts", 100);
    let timeless = |events: Vec<Found>| -> Vec<_> {
        let timeless = events.into_iter().filter(|value| !OF_THE_CLOCK.contains(&&*value.tag));
        timeless.map(|value| format!("{value:?}")).collect()
    };
    assert_eq!(timeless(events(&parts)), timeless(events_of_whole));
    let lines = |run: &Path| {
        fs::read_to_string(run.join("mlflow.jsonl"))
            .unwrap()
            .matches("\"of\":\"step\"")
            .count()
    };
    assert_eq!((lines(&whole), lines(&parts)), (4, 4));
}
