//! The laws of a tracker.

use crate::{MetricValue, MetricValues, Moment, TrackedRun, Tracker, Tracking};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

/// Steps of an epoch, and epochs.
const STEPS: u64 = 3;
const EPOCHS: usize = 3;

/// Tracks a run of nine steps in a folder below `folder`, which is empty, and the same run in another one, killed after an
/// epoch whose last step has a checkpoint, and another time in the middle of an epoch. Checks: values of every form and name are taken;
/// and the files of a run that was killed, with an end that was cut off, are in the end those of the run that was not,
/// byte for byte. A tracker that writes elsewhere has to see to that itself.
///
/// # Panics
/// With the law that is broken.
pub fn check_tracker(part: &dyn Tracker, folder: &Path) {
    part.validate().expect("the options are in range");
    let new = |name: &str| {
        let folder = folder.join(name);
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{name}: {error}"));
        folder
    };
    let [whole, killed] = ["whole", "killed"].map(new);
    track(part, &whole, 0, 9);
    let files = files_of(&whole);
    track(part, &whole, 9, 9);
    assert_eq!(
        files_of(&whole),
        files,
        "{part:?}: a run that only goes on has other files"
    );
    for (from, to) in [(0, 6), (3, 8), (4, 9), (4, 9)] {
        track(part, &killed, from, to);
        // The last lines are beyond the checkpoint at which the run goes on.
        files_of(&killed)
            .into_iter()
            .for_each(|(path, bytes)| cut_off(&killed.join(path), bytes.len()));
    }
    track(part, &killed, 4, 9);
    for (path, bytes) in files_of(&killed) {
        let expected = files.get(&path).map(|bytes| String::from_utf8_lossy(bytes));
        let found = Some(String::from_utf8_lossy(&bytes));
        assert_eq!(found, expected, "{part:?}: {} of a run that was killed", path.display());
    }
    assert_eq!(files_of(&killed).len(), files.len(), "{part:?}: other files");
}

/// Tracks the steps behind `from`, up to `to`.
fn track(part: &dyn Tracker, folder: &Path, from: u64, to: u64) {
    let run = TrackedRun {
        folder,
        epochs: (from / STEPS) as usize,
        steps: from,
    };
    let opened = part.open(&run);
    let mut tracking = opened.unwrap_or_else(|error| panic!("{part:?} does not open after {from} steps: {error}"));
    for step in from + 1..=to {
        let epoch = ((step - 1) / STEPS) as usize + 1;
        take(part, &mut *tracking, Moment { epoch, step });
    }
    let flushed = tracking.flush();
    flushed.unwrap_or_else(|error| panic!("{part:?} cannot write: {error}"));
}

fn take(part: &dyn Tracker, tracking: &mut dyn Tracking, at: Moment) {
    let taken = tracking.step(at, &values(at.step));
    taken.unwrap_or_else(|error| panic!("{part:?} does not take a step: {error}"));
    if at.step.is_multiple_of(STEPS) && at.epoch <= EPOCHS {
        let taken = tracking.epoch(at, &values(100 + at.step));
        taken.unwrap_or_else(|error| panic!("{part:?} does not take an epoch: {error}"));
    }
}

/// Values of every form and kind of name.
fn values(seed: u64) -> MetricValues {
    let odd = match seed % 3 {
        0 => f64::NAN,
        1 => f64::NEG_INFINITY,
        _ => 1e-300 * seed as f64,
    };
    let values = [
        ("loss", MetricValue::Number(seed as f64 / 7.0)),
        ("group/text", MetricValue::Text("a \"quoted\",\nlong word".into())),
        ("group/deeper/name, with a comma", MetricValue::Number(odd)),
        ("count", MetricValue::Count(seed)),
    ];
    values.map(|(name, value)| (name.to_string(), value)).into()
}

/// Truncation by a kill in the middle of a write.
fn cut_off(path: &Path, bytes: usize) {
    let file = OpenOptions::new().write(true).open(path);
    let cut = file.and_then(|file| file.set_len(bytes.saturating_sub(3) as u64));
    cut.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The files below a folder, by their paths in it.
fn files_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = PathBuf::from(path.file_name().unwrap_or_default());
        match path.is_dir() {
            true => found.extend(
                files_of(&path)
                    .into_iter()
                    .map(|(below, bytes)| (name.join(below), bytes)),
            ),
            false => {
                let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                found.insert(name, bytes);
            }
        }
    }
    found
}
