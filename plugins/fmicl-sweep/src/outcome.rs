//! What a run of a sweep gave.

use fmicl_core::{Error, Metric, MetricNames, Report, Result, find_metric, read_file};
use fmicl_runner::eval::{Labels, Reports, TRAINED};
use fmicl_runner::run::provenance::Segment;
use fmicl_runner::run::training::{TRAINING, numbers, training};
use fmicl_runner::run::{RunDir, failure, has_collapsed};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::path::Path;

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
    /// The reports of its evaluations.
    pub reports: Reports,
    training: Report,
}

impl Outcome {
    /// The outcome in a run's directory.
    ///
    /// # Errors
    /// A file that is not what a run writes.
    pub fn read(dir: &Path) -> Result<Self> {
        if let Some(reason) = failure(dir) {
            return Ok(Outcome::Failed(reason));
        }
        let result = match RunDir::open(dir) {
            Ok(run) => run.result()?,
            Err(_) => None,
        };
        let Some(result) = result else {
            return Ok(Outcome::Waiting);
        };
        let last_epoch = last_epoch(&dir.join("metrics.jsonl"), &result["epochs"])?;
        let reports = match result.get("reports") {
            Some(reports) => Reports::deserialize(reports).map_err(|error| {
                let path = dir.join("result.json");
                Error::data(path, format!("its `reports` are not a run's: {error}"))
            })?,
            None => Reports::default(),
        };
        let training = training(numbers(&last_epoch), result["seconds"].as_f64());
        Ok(Outcome::Finished(Box::new(Finished {
            result,
            reports,
            training,
        })))
    }

    /// The finished run.
    pub fn finished(&self) -> Option<&Finished> {
        match self {
            Outcome::Finished(run) => Some(run),
            _ => None,
        }
    }
}

/// The most bytes of a run's epochs.
const MOST: u64 = 1 << 30;

/// The line of the run's last epoch; a file without it is of an earlier attempt.
fn last_epoch(path: &Path, epoch: &Value) -> Result<Value> {
    let lines = read_file(path, MOST, "it has the run's epochs")?;
    let lines = String::from_utf8_lossy(&lines);
    // A line that is torn or damaged costs itself alone.
    let whole = lines
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str::<Value>(line).ok());
    let last = whole.ok_or_else(|| Error::data(path, "is not a run's: no line of it is JSON"))?;
    if &last["epoch"] == epoch {
        return Ok(last);
    }
    let found = &last["epoch"];
    let message =
        format!("ends with epoch {found}, and the run with epoch {epoch}: remove the run's directory to run it again");
    Err(Error::data(path, message))
}

impl Finished {
    /// The metric of a representation that evaluations judged.
    pub fn of(&self, representation: &str, name: &str) -> Option<Metric> {
        let found = self.reports.metric(representation, name).ok()?;
        Some(found.1.clone())
    }

    /// A metric of the trained encoder, or of training.
    ///
    /// # Errors
    /// There is none of that name, or more than one.
    pub fn trained(&self, name: &str) -> Result<Metric, String> {
        let own = self.reports.0.iter().filter(|judged| judged.representation == TRAINED);
        let reports = own.map(|judged| (&*judged.evaluation, &judged.report));
        let found = find_metric(reports.chain([(TRAINING, &self.training)]), name);
        found.map(|(_, metric)| metric.clone())
    }

    /// The names of the metrics of each evaluation, and of training.
    pub fn metrics(&self) -> Vec<(String, MetricNames)> {
        let own = self.reports.0.iter().filter(|judged| judged.representation == TRAINED);
        let reports = own.map(|judged| (&*judged.evaluation, &judged.report));
        let named = |(of, report): (&str, &Report)| (of.to_string(), MetricNames::of(report));
        reports.chain([(TRAINING, &self.training)]).map(named).collect()
    }

    /// The names `EVALUATION.METRIC` of all metrics.
    pub fn names(&self) -> Vec<String> {
        let named = |(of, names): (String, MetricNames)| -> Vec<String> {
            names.all.iter().map(|metric| format!("{of}.{metric}")).collect()
        };
        self.metrics().into_iter().flat_map(named).collect()
    }

    /// The representations that the trained encoder is compared with.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        let all = self.reports.0.iter().map(|judged| &*judged.representation);
        all.filter(|representation| *representation != TRAINED)
    }

    /// The labelled data.
    pub fn labels(&self) -> Option<Labels> {
        Labels::deserialize(self.result("/labels")).ok()
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

    /// The level of a metric that always giving the commonest answer has.
    pub fn blind(&self, name: &str) -> Option<Metric> {
        let metric = self.trained(name).ok()?;
        Some(Metric {
            value: metric.blind?,
            ..metric
        })
    }

    /// Whether the projections have collapsed, in words.
    pub fn collapse(&self) -> Option<String> {
        let number = |name: &str| self.training.metric(name).map(|metric| metric.value);
        let rank = number("effective-rank")?;
        let (cosine, dimensions) = (number("mean-cosine")?, number("dimensions")?);
        has_collapsed(rank, cosine, dimensions).then(|| {
            format!("collapsed: the projections have an effective rank of {rank:.2} and a mean cosine of {cosine:.2}")
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Outcome::Waiting => write!(f, "not run"),
            Outcome::Failed(reason) => write!(f, "failed: {reason}"),
            Outcome::Finished(run) => {
                let trained = run.reports.0.iter().filter(|judged| judged.representation == TRAINED);
                for judged in trained {
                    if let Some(metric) = judged.report.metric(&judged.report.main) {
                        write!(f, "{} {}{}, ", judged.evaluation, metric.shown(), metric.unit)?;
                    }
                }
                let seconds = run.training.metric("seconds").map_or("?".into(), Metric::shown);
                write!(f, "{seconds} s")?;
                run.collapse().map_or(Ok(()), |collapse| write!(f, "; {collapse}"))
            }
        }
    }
}
