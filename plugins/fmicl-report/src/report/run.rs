//! The files of a run, whether it is finished, still training or broken off.

use fmicl_core::{Error, Result, read_file, toml};
use fmicl_runner::eval::Reports;
use fmicl_runner::run::provenance::Segment;
use fmicl_runner::run::{History, METRICS, Observed, RunDir, STEPS, State};
use serde_json::Value;
use std::path::Path;

/// The most bytes of a file of text.
const LONGEST: u64 = 256 << 20;

/// The files of a run.
#[derive(Debug)]
pub struct RunFiles {
    /// The directory.
    pub dir: RunDir,
    /// Its name among the runs of the report.
    pub name: String,
    /// `config.toml` as it is written.
    pub config: String,
    /// The same as a table.
    pub table: toml::Table,
    /// The reports of `result.json`, once the run has one.
    pub reports: Reports,
    /// The rest of `result.json`.
    pub result: Option<Value>,
    /// `metrics.jsonl`.
    pub epochs: History,
    /// `steps.jsonl`.
    pub steps: History,
    /// `provenance.json`.
    pub segments: Vec<Segment>,
    /// Its state.
    pub state: State,
    /// A line on each file that could not be used.
    pub missing: Vec<String>,
}

impl RunFiles {
    /// Reads what there is of the run in a directory.
    ///
    /// # Errors
    /// A directory that is no run's, or whose config cannot be read.
    pub fn read(path: &Path, name: String) -> Result<Self> {
        let dir = RunDir::open(path)?;
        let file = dir.config_path();
        let config = String::from_utf8(read_file(&file, LONGEST, "it has the run's config")?);
        let config = config.map_err(|_| Error::data(&file, "is not text"))?;
        let table = config.parse();
        let table = table.map_err(|error: toml::de::Error| Error::data(&file, error.message().to_string()))?;
        let mut run = RunFiles {
            dir,
            name,
            config,
            table,
            reports: Reports::default(),
            result: None,
            epochs: History::of_epochs(path),
            steps: History::of_steps(path),
            segments: Vec::new(),
            state: Observed::new(path).state,
            missing: Vec::new(),
        };
        run.read_result();
        run.missing.extend(read_history(&mut run.epochs, METRICS));
        run.missing.extend(read_history(&mut run.steps, STEPS));
        run.segments = run.read_segments().unwrap_or_else(|why| {
            run.missing.push(format!("Provenance is left out: {why}"));
            Vec::new()
        });
        Ok(run)
    }

    fn read_result(&mut self) {
        match self.dir.result() {
            Ok(None) => {}
            Ok(Some(mut result)) => {
                let reports = result["reports"].take();
                match serde_json::from_value(reports.clone()) {
                    Ok(reports) => self.reports = reports,
                    Err(_) if reports.is_null() => {}
                    Err(error) => self
                        .missing
                        .push(format!("The results are left out: result.json: {error}")),
                }
                self.result = Some(result);
            }
            Err(error) => self.missing.push(format!("The results are left out: {error}")),
        }
    }

    fn read_segments(&self) -> std::result::Result<Vec<Segment>, String> {
        let path = self.dir.path().join("provenance.json");
        if !path.exists() {
            return Err("there is no provenance.json".into());
        }
        let bytes = read_file(&path, LONGEST, "").map_err(|error| error.to_string())?;
        serde_json::from_slice(&bytes).map_err(|error| format!("provenance.json: {error}"))
    }

    /// What the result says of its labelled samples.
    pub fn labels(&self) -> Option<&Value> {
        self.result.as_ref()?.get("labels").filter(|labels| labels.is_object())
    }

    /// Why it has no results, in a sentence.
    pub fn why_no_results(&self) -> String {
        match self.state {
            State::Running => "the run is running, and is evaluated when its last epoch is over".into(),
            State::Unknown => "the run has no result".into(),
            state => format!("the run has no result: it has not finished (its state: {state})"),
        }
    }

    /// The option of a part or a section, or the part's name.
    pub fn option(&self, section: &str, key: &str) -> Option<&toml::Value> {
        match self.table.get(section)? {
            toml::Value::Table(options) => options.get(key),
            value => (key == "name").then_some(value),
        }
    }

    /// The name of a part.
    pub fn part(&self, kind: &str) -> Option<&str> {
        self.option(kind, "name").and_then(toml::Value::as_str)
    }

    /// Epochs that the run is to have.
    pub fn epochs_in_all(&self) -> Option<i64> {
        self.option("train", "epochs").and_then(toml::Value::as_integer)
    }

    /// How far it is, in a sentence.
    pub fn status(&self) -> String {
        let seconds = self.result.as_ref().and_then(|result| result["seconds"].as_f64());
        let of = self.epochs_in_all().map_or(String::new(), |all| format!(" of {all}"));
        match (self.result.is_some(), seconds, self.epochs.last()) {
            (true, Some(seconds), _) => format!(
                "finished: {} epochs in {}",
                self.epochs_in_all().unwrap_or_default(),
                duration(seconds)
            ),
            (true, None, _) => "finished".into(),
            (false, _, at) => {
                let state = match self.state {
                    State::Running => "running",
                    _ => "not finished",
                };
                let epoch = at.map_or("no epoch".into(), |at| format!("epoch {}", at.epoch));
                format!("{state}: {epoch}{of} is over")
            }
        }
    }
}

/// Reads a file's curves; a line on what of it could not be used.
fn read_history(history: &mut History, name: &str) -> Option<String> {
    if let Err(error) = history.update() {
        return Some(format!("The curves of {name} are left out: {error}"));
    }
    match history.damaged() {
        0 => None,
        1 => Some(format!("A damaged line of {name} is left out of the curves")),
        lines => Some(format!("{lines} damaged lines of {name} are left out of the curves")),
    }
}

/// Seconds, for people.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..=119 => format!("{whole} s"),
        120..=7199 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// Names of runs: the last parts of their paths, as many as tell them apart.
pub fn names(paths: &[impl AsRef<Path>]) -> Vec<String> {
    let parts = |path: &Path, count: usize| {
        let all: Vec<_> = path
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        all[all.len().saturating_sub(count)..].join("/")
    };
    let absolute: Vec<_> = paths
        .iter()
        .map(|path| path.as_ref().canonicalize().unwrap_or_else(|_| path.as_ref().into()))
        .collect();
    let longest = absolute.iter().map(|path| path.components().count()).max().unwrap_or(1);
    let named = |count| absolute.iter().map(|path| parts(path, count)).collect::<Vec<_>>();
    let differ = |names: &Vec<String>| {
        let mut sorted = names.clone();
        sorted.sort();
        sorted.dedup();
        sorted.len() == names.len()
    };
    (1..=longest).map(named).find(differ).unwrap_or_else(|| named(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_long_as_they_must_be() {
        assert_eq!(names(&["/nowhere/a", "/nowhere/b"]), ["a", "b"]);
        assert_eq!(names(&["/nowhere/x/a", "/nowhere/y/a"]), ["x/a", "y/a"]);
        assert_eq!(names(&["/nowhere/a", "/nowhere/a"]), ["a", "a"]);
    }

    #[test]
    fn durations_are_short() {
        let shown = [0.4, 75.0, 200.0, 90_000.0].map(duration);
        assert_eq!(shown, ["0 s", "75 s", "3 min 20 s", "25 h 0 min"]);
    }
}
