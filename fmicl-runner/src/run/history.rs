//! Curves of a run: the numbers in `metrics.jsonl` or `steps.jsonl` by their names, read while the file grows.

use super::training::numbers;
use fmicl_core::{Error, Moment, Result, open_file};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The file with a line for each epoch.
pub const METRICS: &str = "metrics.jsonl";
/// The file with a line every `train.log_every` steps.
pub const STEPS: &str = "steps.jsonl";

/// The most bytes that are read of either.
const LONGEST: u64 = 1 << 30;
/// The bytes at the end of a file in which its last line is looked for.
const TAIL: u64 = 1 << 16;

/// A number at a moment of training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Epoch, counted from 1.
    pub epoch: u64,
    /// Steps taken by then.
    pub step: u64,
    /// The number; NaN where it was not finite.
    pub value: f64,
}

/// The numbers of one file so far. A last line that is not whole is left for later; one in the middle that is damaged is counted.
#[derive(Debug, Default)]
pub struct History {
    path: PathBuf,
    /// Bytes that are read, all of them in whole lines.
    read: u64,
    /// The last whole line: where it is another one, so is the file.
    last_line: Vec<u8>,
    curves: BTreeMap<String, Vec<Point>>,
    last: Option<Moment>,
    damaged: usize,
}

impl History {
    /// Of the epochs of the run in a directory; nothing is read yet.
    pub fn of_epochs(run: &Path) -> Self {
        History::of(run.join(METRICS))
    }

    /// Of its logged steps.
    pub fn of_steps(run: &Path) -> Self {
        History::of(run.join(STEPS))
    }

    fn of(path: PathBuf) -> Self {
        History {
            path,
            ..History::default()
        }
    }

    /// Reads the lines that were added. A file that has become another one, as where a run resumes from an earlier step, is read
    /// again; one that is not there has no line. Returns true if anything has changed.
    ///
    /// # Errors
    /// The disk's, or a file that is none or is beyond 1 GiB.
    pub fn update(&mut self) -> Result<bool> {
        let io = |error| Error::io(&self.path, error);
        let length = std::fs::metadata(&self.path).map_or(0, |about| about.len());
        if length == self.read && self.read == 0 {
            return Ok(false);
        }
        if length == 0 {
            *self = History::of(std::mem::take(&mut self.path));
            return Ok(true);
        }
        if length > LONGEST {
            return Err(Error::data(
                &self.path,
                format!("has {} MiB, and {} at most are read", length >> 20, LONGEST >> 20),
            ));
        }
        let mut file = open_file(&self.path, "it has the run's numbers")?;
        let known = self.last_line.len() as u64;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.read - known)).map_err(io)?;
        file.take(LONGEST).read_to_end(&mut bytes).map_err(io)?;
        match bytes.strip_prefix(&*self.last_line) {
            Some(added) => Ok(self.add(added)),
            None => {
                *self = History::of(std::mem::take(&mut self.path));
                self.update()?;
                Ok(true)
            }
        }
    }

    /// Adds the whole lines among these bytes.
    fn add(&mut self, bytes: &[u8]) -> bool {
        let mut changed = false;
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if !line.ends_with(b"\n") {
                break;
            }
            match parsed(line) {
                Some((at, values)) => self.add_line(at, values),
                None => self.damaged += 1,
            }
            self.read += line.len() as u64;
            self.last_line = line.to_vec();
            changed = true;
        }
        changed
    }

    fn add_line(&mut self, at: Moment, values: Vec<(String, f64)>) {
        self.last = Some(at);
        for (name, value) in values {
            let point = Point {
                epoch: at.epoch as u64,
                step: at.step,
                value,
            };
            self.curves.entry(name).or_default().push(point);
        }
    }

    /// The names of the curves, `GROUP/NAME` in a group.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.curves.keys().map(String::as_str)
    }

    /// A curve, in the order of training; no point where there is none of that name.
    pub fn curve(&self, name: &str) -> &[Point] {
        self.curves.get(name).map_or(&[], Vec::as_slice)
    }

    /// The moment of the last line.
    pub fn last(&self) -> Option<Moment> {
        self.last
    }

    /// The numbers of the last line by their names.
    pub fn last_values(&self) -> impl Iterator<Item = (&str, f64)> {
        let at = self.last.map(|at| at.step);
        let own = self
            .curves
            .iter()
            .filter_map(|(name, points)| Some((&**name, points.last()?)));
        own.filter(move |(_, point)| Some(point.step) == at)
            .map(|(name, point)| (name, point.value))
    }

    /// Whole lines that were not a run's.
    pub fn damaged(&self) -> usize {
        self.damaged
    }
}

/// When a line was written, and its numbers.
fn parsed(line: &[u8]) -> Option<(Moment, Vec<(String, f64)>)> {
    let mut line: Value = serde_json::from_slice(line).ok()?;
    let line = line.as_object_mut()?;
    let at = Moment {
        epoch: line.remove("epoch")?.as_u64()?.try_into().ok()?,
        step: line.remove("step").and_then(|step| step.as_u64()).unwrap_or(0),
    };
    Some((at, numbers(&Value::Object(std::mem::take(line)))))
}

/// The moment of the last whole line of a file of a run, of which only the end is read; nothing where it has none.
pub fn last_moment(path: &Path) -> Option<Moment> {
    let mut file = open_file(path, "").ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let lines = bytes.split_inclusive(|&byte| byte == b'\n').rev();
    let mut whole = lines.filter(|line| line.ends_with(b"\n"));
    whole.find_map(|line| Some(parsed(line)?.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::Write;

    fn values(history: &History, name: &str) -> Vec<f64> {
        history.curve(name).iter().map(|point| point.value).collect()
    }

    #[test]
    fn lines_are_read_as_they_come_and_a_torn_one_once_it_is_whole() {
        let run = tempfile::tempdir().unwrap();
        let mut history = History::of_epochs(run.path());
        assert!(!history.update().unwrap());
        let mut file = File::create(run.path().join(METRICS)).unwrap();
        write!(
            file,
            "{{\"epoch\":1,\"step\":3,\"loss\":2.5,\"projections\":{{\"of\":\"x\",\"rank\":3}}}}\n{{\"epoch\":2,\"st"
        )
        .unwrap();
        assert!(history.update().unwrap());
        assert!(!history.update().unwrap());
        assert_eq!(history.names().collect::<Vec<_>>(), ["loss", "projections/rank"]);
        writeln!(file, "ep\":6,\"loss\":null}}").unwrap();
        assert!(history.update().unwrap());
        let points = history.curve("loss");
        assert_eq!((points.len(), points[0].value, points[0].step), (2, 2.5, 3));
        assert!(points[1].value.is_nan() && points[1].epoch == 2);
        assert_eq!(history.last(), Some(Moment { epoch: 2, step: 6 }));
        assert_eq!(
            history.last_values().map(|(name, _)| name).collect::<Vec<_>>(),
            ["loss"]
        );
        assert_eq!(last_moment(&run.path().join(METRICS)), history.last());
    }

    #[test]
    fn a_file_that_a_resumed_run_has_cut_is_read_again() {
        let run = tempfile::tempdir().unwrap();
        let path = run.path().join(STEPS);
        let line = |step: u64, loss: f64| format!("{{\"epoch\":1,\"step\":{step},\"loss\":{loss}}}\n");
        let mut history = History::of_steps(run.path());
        fs::write(&path, line(1, 1.0) + &line(2, 2.0) + &line(3, 3.0)).unwrap();
        history.update().unwrap();
        // Cut behind the first line, and longer than before.
        fs::write(&path, line(1, 1.0) + &line(2, 5.0) + &line(3, 6.0) + &line(4, 7.0)).unwrap();
        assert!(history.update().unwrap());
        assert_eq!(values(&history, "loss"), [1.0, 5.0, 6.0, 7.0]);
        fs::write(&path, line(1, 1.0)).unwrap();
        assert!(history.update().unwrap());
        assert_eq!(values(&history, "loss"), [1.0]);
        fs::remove_file(&path).unwrap();
        assert!(history.update().unwrap());
        assert_eq!((history.names().count(), history.last()), (0, None));
    }

    #[test]
    fn a_damaged_line_is_counted_and_no_other_is_lost() {
        let run = tempfile::tempdir().unwrap();
        let mut history = History::of_steps(run.path());
        let text =
            "{\"epoch\":1,\"step\":1,\"loss\":1}\n\u{0}\u{0}\n[]\n{\"step\":2}\n{\"epoch\":1,\"step\":3,\"loss\":3}\n";
        fs::write(run.path().join(STEPS), text).unwrap();
        history.update().unwrap();
        assert_eq!((values(&history, "loss"), history.damaged()), (vec![1.0, 3.0], 3));
    }
}
