//! What a run's directory tells of the run: whether it goes on, how far it is, how it ended. Looking changes nothing in it.

use super::RunDir;
use super::checkpoints::Checkpoints;
use super::collapse::has_collapsed;
use super::history::{History, METRICS, STEPS, last_moment};
use super::last_words::{STOPPED_BY, last_words};
use super::provenance::{self, Segment};
use super::run_dir::{CHECKPOINTS, CONFIG, LOCK, RESULT};
use fmicl_core::{Result, disk, read_file};
use serde_json::Value;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The file in which a sweep says why a run failed.
pub const FAILED: &str = "failed.txt";

/// Why a run of a sweep failed, in the words of its [`FAILED`]; nothing where there is no such file.
pub fn failure(path: &Path) -> Option<String> {
    let path = path.join(FAILED);
    if !path.exists() {
        return None;
    }
    let read = read_file(&path, MOST, "it says why the run failed");
    let text = read.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_string());
    Some(text.unwrap_or_else(|error| error.to_string()))
}

/// Files that a run changes while it goes on.
const SIGNS: [&str; 6] = [METRICS, STEPS, "log.txt", "provenance.json", CHECKPOINTS, RESULT];
/// The most bytes of the config, and of the reason of a failure.
const MOST: u64 = 1 << 20;

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// A process trains or evaluates it: it holds the directory's lock.
    Running,
    /// All its epochs are trained and evaluated.
    Finished,
    /// It has ended, and the projections of its last epoch have collapsed.
    Collapsed,
    /// A signal or `--stop-after` stopped it.
    Stopped,
    /// An error ended it.
    Failed,
    /// Its process was killed, or its machine went off.
    BrokenOff,
    /// Its files do not tell.
    Unknown,
}

impl State {
    /// All of them.
    pub const ALL: [State; 7] = [
        State::Running,
        State::Finished,
        State::Collapsed,
        State::Stopped,
        State::Failed,
        State::BrokenOff,
        State::Unknown,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Finished => "finished",
            State::Collapsed => "collapsed",
            State::Stopped => "stopped",
            State::Failed => "failed",
            State::BrokenOff => "broken-off",
            State::Unknown => "unknown",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is done, of what is planned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Epochs that are over.
    pub epochs: u64,
    /// Epochs that the config asks for; nothing where it cannot be read.
    pub of_epochs: Option<u64>,
    /// Steps, as far as they are logged.
    pub steps: u64,
    /// Steps of all epochs; nothing where that is not known yet.
    pub of_steps: Option<u64>,
}

impl Done {
    /// The share of the run, 0 to 1, where it is known.
    pub fn share(&self) -> Option<f64> {
        let of_steps = self.of_steps.map(|planned| (self.steps, planned));
        let of_epochs = self.of_epochs.map(|planned| (self.epochs, planned));
        let (done, planned) = of_steps.or(of_epochs).filter(|(_, planned)| *planned > 0)?;
        Some((done as f64 / planned as f64).min(1.0))
    }
}

/// A run as its files tell.
#[derive(Debug)]
pub struct Observed {
    /// Its directory.
    pub path: PathBuf,
    /// Its state.
    pub state: State,
    /// Why it is in that state, in a line, where the files say so.
    pub why: Option<String>,
    /// The complete config; empty where it cannot be read.
    pub config: toml::Table,
    /// `result.json` of a finished run.
    pub result: Option<Value>,
    /// The commands that have worked on it.
    pub segments: Vec<Segment>,
    /// The numbers of its epochs.
    pub epochs: History,
    /// How far it is.
    pub done: Done,
    /// When its first command began.
    pub started: Option<SystemTime>,
    /// Its last sign of life: when one of its files was changed last.
    pub seen: Option<SystemTime>,
    /// Seconds that its commands took: of a finished run those of training; otherwise of the commands whose end is on record, and
    /// of the last one up to now, or to its last sign of life.
    pub seconds: f64,
    /// What could not be read, a line each.
    pub problems: Vec<String>,
}

impl Observed {
    /// The run in a directory.
    pub fn new(path: &Path) -> Self {
        let mut observed = Observed {
            path: path.to_path_buf(),
            state: State::Unknown,
            why: None,
            config: toml::Table::new(),
            result: None,
            segments: Vec::new(),
            epochs: History::of_epochs(path),
            done: Done::default(),
            started: None,
            seen: None,
            seconds: 0.0,
            problems: Vec::new(),
        };
        observed.update();
        observed
    }

    /// Looks again.
    pub fn update(&mut self) {
        self.problems.clear();
        // In this order: a run that ends in between has its result by then.
        let locked = disk::is_locked(&self.path.join(LOCK));
        let config = self.read_config();
        self.config = self.noted(config).unwrap_or_default();
        let result = match RunDir::is_at(&self.path) {
            true => RunDir::open(&self.path).and_then(|run| run.result()),
            false => Ok(None),
        };
        let has_no_result = result.is_err();
        self.result = self.noted(result).flatten();
        let segments = match self.path.join("provenance.json").exists() {
            true => provenance::segments(&self.path),
            false => Ok(Vec::new()),
        };
        self.segments = self.noted(segments).unwrap_or_default();
        let read = self.epochs.update();
        self.noted(read);
        if self.epochs.damaged() > 0 {
            let lines = match self.epochs.damaged() {
                1 => format!("{METRICS} has a damaged line, which is left out"),
                lines => format!("{METRICS} has {lines} damaged lines, which are left out"),
            };
            self.problems.push(lines);
        }
        self.done = self.look_how_far();
        let changed = |name: &&str| fs::metadata(self.path.join(name)).ok()?.modified().ok();
        self.seen = SIGNS.iter().filter_map(changed).max();
        let unreadable = self.config.is_empty() || has_no_result;
        (self.state, self.why) = match (self.noted(locked), unreadable) {
            (Some(true), _) => (State::Running, None),
            (None, _) => (State::Unknown, self.problems.last().cloned()),
            (Some(false), _) => self.ended(unreadable),
        };
        self.started = self.segments.first().and_then(|segment| time(&segment.start));
        self.seconds = self.look_how_long(SystemTime::now());
    }

    fn read_config(&self) -> Result<toml::Table> {
        if !RunDir::is_at(&self.path) {
            return Ok(toml::Table::new());
        }
        let path = self.path.join(CONFIG);
        let text = read_file(&path, MOST, "it is the run's config")?;
        let text = String::from_utf8_lossy(&text);
        toml::from_str(&text)
            .map_err(|error| fmicl_core::Error::data(&path, format!("is not a run's: {}", error.message())))
    }

    fn noted<T>(&mut self, read: Result<T>) -> Option<T> {
        read.map_err(|error| self.problems.push(error.to_string())).ok()
    }

    /// State of a run that nobody works on, and why.
    fn ended(&self, unreadable: bool) -> (State, Option<String>) {
        if let Some(why) = failure(&self.path) {
            let why = why.lines().map(str::trim).find(|line| !line.is_empty());
            return self.failed(why.unwrap_or("failed.txt does not say why").to_string());
        }
        if self.result.is_some() {
            return match self.collapse() {
                Some(collapse) => (State::Collapsed, Some(collapse)),
                None => (State::Finished, None),
            };
        }
        let words = last_words(&self.path.join("log.txt"));
        let has_end = self.segments.last().is_some_and(|segment| segment.end.is_some());
        match words {
            _ if unreadable => (State::Unknown, self.problems.first().cloned()),
            Some(words) if words.starts_with(STOPPED_BY) => {
                let signal = words.split("; ").next().unwrap_or_default();
                (State::Stopped, Some(signal.to_string()))
            }
            Some(words) => self.failed(words),
            None if has_end => (State::Stopped, Some(format!("stopped after step {}", self.done.steps))),
            None => (State::BrokenOff, self.elsewhere()),
        }
    }

    /// Where a run was broken off, if not on this machine: its locks may not be seen here.
    fn elsewhere(&self) -> Option<String> {
        let host = &self.segments.last()?.host;
        (*host != provenance::host()).then(|| format!("it ran on {host}"))
    }

    /// State of a run that an error ended, and why.
    fn failed(&self, why: String) -> (State, Option<String>) {
        match self.collapse() {
            Some(collapse) => (State::Collapsed, Some(format!("{collapse}; {why}"))),
            None => (State::Failed, Some(why)),
        }
    }

    /// Whether the projections of the last epoch have collapsed, in words.
    pub fn collapse(&self) -> Option<String> {
        let number = |name: &str| {
            let mut values = self.epochs.last_values();
            values.find(|(own, _)| *own == name).map(|(_, value)| value)
        };
        let rank = number("projections/effective_rank")?;
        let (cosine, dimensions) = (number("projections/mean_cosine")?, number("projections/dimensions")?);
        has_collapsed(rank, cosine, dimensions)
            .then(|| format!("the projections have an effective rank of {rank:.2} and a mean cosine of {cosine:.2}"))
    }

    fn look_how_far(&self) -> Done {
        let last = self.epochs.last();
        let planned = self
            .config
            .get("train")
            .and_then(|train| train.get("epochs")?.as_integer());
        let of_epochs = planned.and_then(|epochs| u64::try_from(epochs).ok());
        // One without its JSON lines has checkpoints alone.
        let checkpoint = || Checkpoints::new(self.path.join(CHECKPOINTS)).list().ok()?.pop();
        let logged = last_moment(&self.path.join(STEPS)).map(|at| at.step);
        let steps = logged.into_iter().chain(last.map(|at| at.step)).max();
        let steps = steps.or_else(|| checkpoint().map(|(step, _)| step)).unwrap_or(0);
        let by_epochs = last.filter(|last| last.epoch > 0 && last.step.is_multiple_of(last.epoch as u64));
        let by_epochs = by_epochs
            .zip(of_epochs)
            .and_then(|(last, epochs)| (last.step / last.epoch as u64).checked_mul(epochs));
        let recorded = self.segments.last().and_then(|segment| segment.steps);
        Done {
            epochs: last.map_or(0, |last| last.epoch as u64),
            of_epochs,
            steps,
            of_steps: by_epochs.or(recorded),
        }
    }

    fn look_how_long(&self, now: SystemTime) -> f64 {
        if let Some(seconds) = self.result.as_ref().and_then(|result| result["seconds"].as_f64()) {
            return seconds;
        }
        let last = match self.state {
            State::Running => Some(now),
            _ => self.seen,
        };
        let ends = self
            .segments
            .iter()
            .enumerate()
            .map(|(index, segment)| match &segment.end {
                Some(end) => time(end),
                None => last.filter(|_| index + 1 == self.segments.len()),
            });
        let starts = self.segments.iter().map(|segment| time(&segment.start));
        let took = |(start, end): (Option<SystemTime>, Option<SystemTime>)| end?.duration_since(start?).ok();
        let all: Duration = starts.zip(ends).filter_map(took).sum();
        all.as_secs_f64()
    }

    /// How long a running run will take from `now` on at the pace that its last command had so far, evaluations included;
    /// nothing where that is not known.
    pub fn left(&self, now: SystemTime) -> Option<Duration> {
        let segment = self.segments.last().filter(|_| self.state == State::Running)?;
        let planned = self.done.of_steps?;
        let logged = [METRICS, STEPS]
            .into_iter()
            .filter_map(|name| fs::metadata(self.path.join(name)).ok()?.modified().ok());
        let logged = logged.max()?;
        let took = logged.duration_since(time(&segment.start)?).ok()?;
        let steps = self
            .done
            .steps
            .checked_sub(segment.from_step)
            .filter(|steps| *steps > 0)?;
        let left = planned.saturating_sub(self.done.steps);
        let left = Duration::try_from_secs_f64(took.as_secs_f64() / steps as f64 * left as f64).ok()?;
        Some(left.saturating_sub(now.duration_since(logged).unwrap_or_default()))
    }
}

/// A time of the record.
fn time(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

#[cfg(test)]
#[path = "observed/tests.rs"]
mod tests;
