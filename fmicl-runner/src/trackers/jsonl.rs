//! Metrics of a run as JSON lines: `metrics.jsonl`, a line per epoch, and `steps.jsonl`, a line every
//! `train.log_every` steps. The values of a group `a/b` are in an object `a`.

use crate::run::{Lines, METRICS, STEPS};
use fmicl_core::{MetricValue, MetricValues, Moment, Result, TrackedRun, Tracker, Tracking, register};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The two files in the run's directory.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jsonl {}

register!(
    Tracker,
    "jsonl",
    Jsonl,
    "metrics.jsonl and steps.jsonl in the run's directory"
);

impl Tracker for Jsonl {
    fn open(&self, run: &TrackedRun) -> Result<Box<dyn Tracking>> {
        let up_to = |key: &'static str, last: u64| move |line: &Value| line[key].as_u64().is_some_and(|at| at <= last);
        let path = |name: &str| run.folder.join(name);
        let (epochs, found) = Lines::open(path(METRICS), up_to("epoch", run.epochs as u64))?;
        if found < run.epochs {
            tracing::warn!("metrics.jsonl has lost lines: {found} are left of {}", run.epochs);
        }
        let (steps, _) = Lines::open(path(STEPS), up_to("step", run.steps))?;
        Ok(Box::new(Files { epochs, steps }))
    }
}

#[derive(Debug)]
struct Files {
    epochs: Lines,
    steps: Lines,
}

impl Tracking for Files {
    fn step(&mut self, at: Moment, values: &MetricValues) -> Result<()> {
        self.steps.add(&Line(at, values))
    }

    fn epoch(&mut self, at: Moment, values: &MetricValues) -> Result<()> {
        self.epochs.add(&Line(at, values))
    }

    fn wants_tensors(&self) -> bool {
        false
    }

    fn flush(&mut self) -> Result<()> {
        self.epochs.flush()?;
        self.steps.flush()
    }
}

/// A line: the epoch, the step, and what was measured there.
struct Line<'a>(Moment, &'a MetricValues);

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("epoch", &self.0.epoch)?;
        map.serialize_entry("step", &self.0.step)?;
        let values = self.1.iter().map(|(name, value)| (name.as_str(), value));
        entries(&mut map, &values.collect::<Vec<_>>())?;
        map.end()
    }
}

/// Values of a group by their names within it.
struct Group<'a>(Vec<(&'a str, &'a MetricValue)>);

impl Serialize for Group<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        entries(&mut map, &self.0)?;
        map.end()
    }
}

/// Neighbours of one group become an object of their own.
fn entries<M: SerializeMap>(map: &mut M, values: &[(&str, &MetricValue)]) -> Result<(), M::Error> {
    fn group(name: &str) -> Option<&str> {
        name.split_once('/').map(|(group, _)| group)
    }
    for neighbours in values.chunk_by(|a, b| group(a.0).is_some() && group(a.0) == group(b.0)) {
        match (group(neighbours[0].0), neighbours[0]) {
            (Some(group), _) => {
                let within = neighbours
                    .iter()
                    .map(|(name, value)| (&name[group.len() + 1..], *value));
                map.serialize_entry(group, &Group(within.collect()))?;
            }
            (None, (name, MetricValue::Count(value))) => map.serialize_entry(name, value)?,
            (None, (name, MetricValue::Number(value))) => map.serialize_entry(name, value)?,
            (None, (name, MetricValue::Text(value))) => map.serialize_entry(name, value)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_tracker;

    #[test]
    fn a_run_that_was_killed_has_the_lines_of_one_that_was_not() {
        let folder = tempfile::tempdir().unwrap();
        check_tracker(&Jsonl {}, folder.path());
    }

    #[test]
    fn groups_are_objects_and_all_stands_in_the_order_in_which_it_was_measured() {
        let values = [
            ("lr", MetricValue::Number(0.5)),
            ("a/z", MetricValue::Text("how".into())),
            ("a/b/y", MetricValue::Number(2.0)),
            ("a/b/x", MetricValue::Number(f64::NAN)),
            ("k", MetricValue::Count(7)),
        ];
        let values = values.map(|(name, value)| (name.to_string(), value)).to_vec();
        let line = serde_json::to_string(&Line(Moment { epoch: 1, step: 9 }, &values)).unwrap();
        let expected = r#"{"epoch":1,"step":9,"lr":0.5,"a":{"z":"how","b":{"y":2.0,"x":null}},"k":7}"#;
        assert_eq!(line, expected);
    }
}
