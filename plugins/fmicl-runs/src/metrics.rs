//! The metrics of runs, by the names `EVALUATION.METRIC`; those of the last epoch are `train.METRIC`.

use fmicl_core::Metric;
use fmicl_runner::eval::{Reports, TRAINED};
use fmicl_runner::run::Observed;
use fmicl_runner::run::training::{EVALUATIONS, TRAINING, training};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Digits of a metric of which no finished run has a report.
const DIGITS: usize = 3;

/// The metrics of a run.
#[derive(Debug, Default)]
pub struct Measured {
    /// Those of `result.json`, of the trained encoder.
    reported: BTreeMap<String, Metric>,
    /// The main one of each evaluation among those.
    mains: BTreeMap<String, String>,
    /// What was measured during training, in its order.
    online: BTreeMap<String, Vec<f64>>,
    /// The last epoch's numbers.
    training: BTreeMap<String, Metric>,
    /// Why the reports cannot be read.
    pub problem: Option<String>,
}

impl Measured {
    /// Those of a run.
    pub fn of(run: &Observed) -> Self {
        let mut measured = Measured::default();
        for name in run.epochs.names() {
            if let Some((evaluation, metric)) = name.strip_prefix(EVALUATIONS).and_then(|name| name.split_once('/')) {
                let values = run.epochs.curve(name).iter().map(|point| point.value);
                let values = values.filter(|value| value.is_finite()).collect();
                measured.online.insert(format!("{evaluation}.{metric}"), values);
            }
        }
        let last = run.epochs.last_values().map(|(name, value)| (name.to_string(), value));
        let own = training(last, None).metrics.into_iter();
        // The config has one of this name.
        let own = own.filter(|metric| metric.name != "lr");
        measured.training = own
            .map(|metric| (format!("{TRAINING}.{}", metric.name), metric))
            .collect();
        match run
            .result
            .as_ref()
            .and_then(|result| result.get("reports"))
            .map(Reports::deserialize)
        {
            Some(Ok(reports)) => measured.add(&reports),
            Some(Err(error)) => {
                measured.problem = Some(format!("the `reports` of result.json are not a run's: {error}"))
            }
            None => {}
        }
        measured
    }

    fn add(&mut self, reports: &Reports) {
        for judged in reports.of(TRAINED) {
            let named = |metric: &str| format!("{}.{metric}", judged.evaluation);
            self.mains.insert(judged.evaluation.clone(), named(&judged.report.main));
            for metric in &judged.report.metrics {
                self.reported.insert(named(&metric.name), metric.clone());
            }
        }
    }

    /// The last value of a metric: after training where that is over, otherwise during it.
    pub fn last(&self, name: &str) -> Option<f64> {
        let reported = self.reported.get(name).or_else(|| self.training.get(name));
        let online = || self.online.get(name)?.last().copied();
        reported
            .map(|metric| metric.value)
            .or_else(online)
            .filter(|value| value.is_finite())
    }

    /// The best of a metric's values during and after training.
    pub fn best(&self, name: &str, like: &Metric) -> Option<f64> {
        let reported = self.reported.get(name).map(|metric| metric.value);
        let all = self.online.get(name)?.iter().copied().chain(reported);
        like.best_of(all)
    }

    /// How often a metric was measured during training.
    pub fn times(&self, name: &str) -> usize {
        self.online.get(name).map_or(0, Vec::len)
    }
}

/// The better of two values.
pub trait Better {
    /// The best of some values; nothing of a metric by which encoders are not compared.
    fn best_of(&self, values: impl Iterator<Item = f64>) -> Option<f64>;
}

impl Better for Metric {
    fn best_of(&self, values: impl Iterator<Item = f64>) -> Option<f64> {
        let finite = values.filter(|value| value.is_finite());
        match self.higher_is_better? {
            true => finite.max_by(f64::total_cmp),
            false => finite.min_by(f64::total_cmp),
        }
    }
}

/// What is known of the metrics of several runs.
#[derive(Debug, Default)]
pub struct Metrics {
    /// A metric of each name, for its unit, its digits and whether more is better.
    like: BTreeMap<String, Metric>,
    /// The main one of each evaluation.
    mains: BTreeMap<String, String>,
    /// Those that were measured more than once during a run's training.
    repeated: Vec<String>,
}

impl Metrics {
    /// Those of some runs.
    pub fn of<'a>(runs: impl Iterator<Item = &'a Measured> + Clone) -> Self {
        let mut metrics = Metrics::default();
        for run in runs.clone() {
            let known = run.reported.iter().chain(&run.training);
            metrics
                .like
                .extend(known.map(|(name, metric)| (name.clone(), metric.clone())));
            metrics.mains.extend(run.mains.clone());
        }
        for run in runs {
            for (name, values) in &run.online {
                let unknown = || Metric::new(name, f64::NAN, DIGITS);
                metrics.like.entry(name.clone()).or_insert_with(unknown);
                if values.len() > 1 && !metrics.repeated.contains(name) {
                    metrics.repeated.push(name.clone());
                }
                // Where no report says which is the main one, the first by its name stands for it.
                if let Some((evaluation, _)) = name.split_once('.') {
                    metrics.mains.entry(evaluation.into()).or_insert_with(|| name.clone());
                }
            }
        }
        metrics
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.like.keys().map(String::as_str)
    }

    /// The main metric of an evaluation.
    pub fn main(&self, evaluation: &str) -> Option<&str> {
        self.mains.get(evaluation).map(String::as_str)
    }

    /// The evaluations, and the main metric of each.
    pub fn mains(&self) -> impl Iterator<Item = (&str, &str)> {
        self.mains.iter().map(|(evaluation, main)| (&**evaluation, &**main))
    }

    /// Whether a metric was measured more than once during a run's training.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.repeated.iter().any(|repeated| repeated == name)
    }

    /// A metric of a name, for its unit and its digits.
    pub fn like(&self, name: &str) -> Option<&Metric> {
        self.like.get(name)
    }

    /// A value with its metric's digits.
    pub fn shown(&self, name: &str, value: f64) -> String {
        let digits = self
            .like(name)
            .map_or(DIGITS, |metric| metric.digits.min(Metric::MOST_DIGITS));
        format!("{value:.digits$}")
    }
}
