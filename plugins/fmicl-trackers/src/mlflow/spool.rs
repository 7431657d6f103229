//! What a server is to get, as lines of JSON in the run's directory: training writes them, the sender reads them.
//!
//! A line stays when it is sent, and so does one beyond the step at which a run is resumed, which the server may have: a
//! step or an epoch that comes again is not recorded again. So the server gets each of them once. A line that is damaged stays
//! as well, and is passed over: places in the file are noted elsewhere.

use super::keys::Keys;
use fmicl_core::{Ending, Error, Growing, MetricValue, MetricValues, Moment, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it is of.
    #[serde(flatten)]
    pub of: Of,
    /// Milliseconds since 1970.
    pub time: u64,
    /// Names and values.
    pub metrics: Vec<(String, Number)>,
}

/// What a line is of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "lowercase")]
pub enum Of {
    /// A step.
    Step {
        /// Since the start of the run.
        step: u64,
    },
    /// An epoch.
    Epoch {
        /// From 1.
        epoch: usize,
        /// Its last step.
        step: u64,
    },
    /// How the work of a process ended, or that it goes on.
    Status {
        /// The last step.
        step: u64,
        /// MLflow's word.
        status: Status,
    },
}

/// MLflow's words for the state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Training.
    Running,
    /// Trained and evaluated.
    Finished,
    /// Stopped as asked.
    Killed,
    /// Ended by an error.
    Failed,
}

/// A number as JSON of a protocol buffer has it: those that are not finite are words.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// Finite.
    Finite(f64),
    /// Not.
    Other(Other),
}

/// Numbers that are not finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Other {
    /// Not a number.
    #[serde(rename = "NaN")]
    NaN,
    /// Above all numbers.
    Infinity,
    /// Below all numbers.
    #[serde(rename = "-Infinity")]
    MinusInfinity,
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        match number {
            number if number.is_finite() => Number::Finite(number),
            number if number.is_nan() => Number::Other(Other::NaN),
            number if number > 0.0 => Number::Other(Other::Infinity),
            _ => Number::Other(Other::MinusInfinity),
        }
    }
}

impl Of {
    /// The step that the server is told.
    pub fn step(self) -> u64 {
        match self {
            Of::Step { step } | Of::Epoch { step, .. } | Of::Status { step, .. } => step,
        }
    }
}

/// The file, as training writes it.
#[derive(Debug)]
pub struct Spool {
    /// The file.
    pub file: Growing,
    /// The last step and the last epoch that are recorded.
    last: (u64, usize),
    status: Option<Status>,
}

impl Spool {
    /// Opens the file, which need not exist, and goes on behind its last good line.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(path: PathBuf) -> Result<Self> {
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            bytes => bytes.map_err(|error| Error::io(&path, error))?,
        };
        let mut spool = Spool {
            file: Growing::new(path, 0),
            last: (0, 0),
            status: None,
        };
        let (mut at, mut good, mut damaged, mut passed_over) = (0, 0, 0, 0);
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            at += line.len() as u64;
            match parse(line) {
                Some(line) => {
                    spool.note(&line);
                    (good, passed_over) = (at, damaged);
                }
                None => damaged += 1,
            }
        }
        if passed_over > 0 {
            let path = spool.file.path().display();
            tracing::warn!("{path}: damaged lines that are passed over: {passed_over}");
        }
        spool.file = Growing::new(spool.file.path().into(), good);
        Ok(spool)
    }

    /// Records a step, once.
    pub fn step(&mut self, at: Moment, values: &MetricValues, named: fn(&str) -> String) {
        if at.step > self.last.0 {
            self.add(Of::Step { step: at.step }, numbers(values, named));
        }
    }

    /// Records an epoch, once.
    pub fn epoch(&mut self, at: Moment, values: &MetricValues, named: fn(&str) -> String) {
        let Moment { epoch, step } = at;
        if epoch > self.last.1 {
            self.add(Of::Epoch { epoch, step }, numbers(values, named));
        }
    }

    /// Records the end of a process's work; of the same end twice only the first.
    pub fn end(&mut self, ending: Ending, step: u64, named: fn(&str) -> String) {
        let none = MetricValues::new();
        let (status, metrics) = match ending {
            Ending::Finished(metrics) => (Status::Finished, metrics),
            Ending::Stopped => (Status::Killed, &none),
            Ending::Failed => (Status::Failed, &none),
        };
        if self.status != Some(status) {
            self.add(Of::Status { step, status }, numbers(metrics, named));
        }
    }

    fn add(&mut self, of: Of, metrics: Vec<(String, Number)>) {
        let is_status = matches!(of, Of::Status { .. });
        if !is_status && !matches!(self.status, None | Some(Status::Running)) {
            let (step, status) = (of.step(), Status::Running);
            self.add(Of::Status { step, status }, Vec::new());
        }
        let line = Line {
            of,
            time: now(),
            metrics,
        };
        self.note(&line);
        // Text, numbers and their names always have a form in JSON.
        if let Ok(line) = serde_json::to_string(&line) {
            self.file.add(format!("{line}\n").as_bytes());
        }
    }

    fn note(&mut self, line: &Line) {
        match line.of {
            Of::Step { step } => self.last.0 = self.last.0.max(step),
            Of::Epoch { epoch, .. } => self.last.1 = self.last.1.max(epoch),
            Of::Status { status, .. } => self.status = Some(status),
        }
    }

    /// Makes what the disk takes durable.
    pub fn flush(&mut self) {
        // Where it fails, the next one may not; no checkpoint relies on it.
        let _ = self.file.flush();
    }
}

/// A line of the file; `None` if it is cut off or damaged.
pub fn parse(line: &[u8]) -> Option<Line> {
    let line = line.strip_suffix(b"\n")?;
    serde_json::from_slice(line).ok()
}

/// The numbers among metrics, by keys that MLflow takes.
fn numbers(values: &MetricValues, named: fn(&str) -> String) -> Vec<(String, Number)> {
    let mut keys = Keys::default();
    let number = |(name, value): &(String, MetricValue)| {
        let value = match value {
            MetricValue::Count(count) => *count as f64,
            MetricValue::Number(number) => *number,
            MetricValue::Text(_) => return None,
        };
        Some((keys.key(&named(name)), value.into()))
    };
    values.iter().filter_map(number).collect()
}

/// Milliseconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_millis() as u64
}
