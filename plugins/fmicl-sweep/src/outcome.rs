//! What a run of a sweep gave.

use super::metric::Metric;
use fmicl_core::{Error, Result};
use fmicl_runner::run::RunDir;
use fmicl_runner::run::provenance::Segment;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::path::Path;

/// The file that says why a run failed.
pub const FAILED: &str = "failed.txt";

/// What representations a table compares the trained encoders with.
pub const REFERENCES: [&str; 3] = ["raw pixels", "untrained encoder", "initial encoder"];

/// Below this effective rank the projections lie on a line, or in a point.
const COLLAPSED: f64 = 2.0;

/// What a run gave.
#[derive(Debug)]
pub enum Outcome {
    /// It has not been run, or was broken off.
    Waiting,
    /// It failed, and why.
    Failed(String),
    /// It finished.
    Finished(Box<Finished>),
}

/// A finished run's files.
#[derive(Debug)]
pub struct Finished {
    result: Value,
    last_epoch: Value,
}

impl Outcome {
    /// The outcome in a run's directory.
    ///
    /// # Errors
    /// A file that is not what a run writes.
    pub fn read(dir: &Path) -> Result<Self> {
        if let Ok(reason) = std::fs::read_to_string(dir.join(FAILED)) {
            return Ok(Outcome::Failed(reason.trim().to_string()));
        }
        let result = match RunDir::open(dir) {
            Ok(run) => run.result()?,
            Err(_) => None,
        };
        let Some(result) = result else {
            return Ok(Outcome::Waiting);
        };
        let path = dir.join("metrics.jsonl");
        let lines = std::fs::read_to_string(&path).map_err(|error| Error::io(&path, error))?;
        let last_epoch = serde_json::from_str(lines.lines().last().unwrap_or_default());
        let last_epoch = last_epoch.map_err(|error| Error::data(&path, format!("is not a run's: {error}")))?;
        Ok(Outcome::Finished(Box::new(Finished { result, last_epoch })))
    }

    /// The finished run.
    pub fn finished(&self) -> Option<&Finished> {
        match self {
            Outcome::Finished(run) => Some(run),
            _ => None,
        }
    }
}

impl Finished {
    /// The accuracy of a representation in %, where the metric is one.
    pub fn accuracy(&self, representation: &str, metric: Metric) -> Option<f64> {
        let rows = self.result.pointer("/evaluation/rows")?.as_array()?;
        let row = rows.iter().find(|row| row["representation"] == representation)?;
        Some(100.0 * row.pointer(metric.accuracy()?)?.as_f64()?)
    }

    /// The value of a metric; accuracies in %.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Alignment => self.last_epoch("/projections/alignment"),
            Metric::Uniformity => self.last_epoch("/projections/uniformity"),
            Metric::EffectiveRank => self.last_epoch("/projections/effective_rank"),
            Metric::FMi => self.last_epoch("/f_mi"),
            Metric::Loss => self.last_epoch("/loss"),
            Metric::Seconds => self.seconds(),
            _ => self.accuracy("trained encoder", metric),
        }
    }

    /// A number in the last line of `metrics.jsonl`.
    pub fn last_epoch(&self, pointer: &str) -> Option<f64> {
        self.last_epoch.pointer(pointer)?.as_f64()
    }

    /// The whole run's time.
    pub fn seconds(&self) -> Option<f64> {
        self.result["seconds"].as_f64()
    }

    /// A part of `result.json`; null where it has none.
    pub fn result(&self, pointer: &str) -> &Value {
        self.result.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The segments that its numbers come from.
    pub fn segments(&self) -> Vec<Segment> {
        let segments = Vec::deserialize(self.result("/segments")).unwrap_or_default();
        Segment::that_count(&segments).cloned().collect()
    }

    /// The accuracy of a guess in %.
    pub fn chance(&self) -> Option<f64> {
        Some(100.0 / self.result("/evaluation/protocol/classes").as_f64()?)
    }

    /// The accuracy of always answering the largest class in %, by a metric that is one; a run of before that was written
    /// has none.
    pub fn largest_class(&self, metric: Metric) -> Option<f64> {
        metric.accuracy()?;
        let which = if metric.is_balanced() { "balanced" } else { "accuracy" };
        let share = self.result(&format!("/evaluation/protocol/largest_class/{which}"));
        Some(100.0 * share.as_f64()?)
    }

    /// Whether the projections have collapsed, in words.
    pub fn collapse(&self) -> Option<String> {
        let rank = self.last_epoch("/projections/effective_rank")?;
        (rank < COLLAPSED).then(|| format!("collapsed: the effective rank of the projections is {rank:.2}"))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Outcome::Waiting => write!(f, "not run"),
            Outcome::Failed(reason) => write!(f, "failed: {reason}"),
            Outcome::Finished(run) => {
                let shown = |metric: Metric| run.value(metric).map_or("?".into(), |value| metric.show(value));
                let seconds = shown(Metric::Seconds);
                write!(
                    f,
                    "kNN {}, linear {}, {seconds} s",
                    shown(Metric::Knn),
                    shown(Metric::Linear)
                )?;
                run.collapse().map_or(Ok(()), |collapse| write!(f, "; {collapse}"))
            }
        }
    }
}
