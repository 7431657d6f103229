//! The laws of a tracker.

use crate::{Ending, MetricValue, MetricValues, Moment, TrackedRun, Tracker, Tracking};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

/// Steps of an epoch, and epochs.
const STEPS: u64 = 3;
const EPOCHS: usize = 3;

/// Tracks a run of nine steps in a folder below `folder`, which is empty, and the same run in another one, killed after an
/// epoch whose last step has a checkpoint, and another time in the middle of an epoch. Checks: values of every form and name,
/// images, histograms and endings are taken;
/// and the files of a run that was killed, with an end that was cut off, are in the end those of the run that was not,
/// byte for byte. A tracker that writes elsewhere has to see to that itself.
///
/// # Panics
/// With the law that is broken.
pub fn check_tracker(part: &dyn Tracker, folder: &Path) {
    let bytes = |folder: &Path| {
        let files = files_of(folder).into_iter();
        let shown =
            |(path, bytes): (PathBuf, Vec<u8>)| format!("{}: {}", path.display(), String::from_utf8_lossy(&bytes));
        files.map(shown).collect()
    };
    check_tracker_by(part, folder, &bytes);
}

/// The laws of [`check_tracker`] for a tracker whose files also hold what differs from run to run, such as the time:
/// `records` reads the records of a run's folder, in their order and without that, and those are compared.
///
/// # Panics
/// With the law that is broken.
pub fn check_tracker_by(part: &dyn Tracker, folder: &Path, records: &dyn Fn(&Path) -> Vec<String>) {
    part.validate().expect("the options are in range");
    let new = |name: &str| {
        let folder = folder.join(name);
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{name}: {error}"));
        folder
    };
    let [whole, killed] = ["whole", "killed"].map(new);
    let finish = |tracking: &mut dyn Tracking| end(part, tracking, Ending::Finished(&values(1)));
    finish(&mut *track(part, &whole, 0, 9));
    let expected = records(&whole);
    finish(&mut *track(part, &whole, 9, 9));
    require_same(part, &records(&whole), &expected, "a run that only goes on");
    for (from, to) in [(0, 6), (3, 8), (4, 9), (4, 9)] {
        let before = files_of(&killed);
        drop(track(part, &killed, from, to));
        // The last lines are beyond the checkpoint at which the run goes on.
        let written = files_of(&killed).into_iter();
        written
            // One that is the same, or was only cut at the checkpoint, is not written.
            .filter(|(path, bytes)| !before.get(path).is_some_and(|before| before.starts_with(bytes)))
            .for_each(|(path, bytes)| cut_off(&killed.join(path), bytes.len()));
    }
    // Stops that it hears of.
    end(part, &mut *track(part, &killed, 4, 5), Ending::Stopped);
    end(part, &mut *track(part, &killed, 5, 7), Ending::Failed);
    finish(&mut *track(part, &killed, 7, 9));
    require_same(part, &records(&killed), &expected, "a run that was killed");
}

fn require_same(part: &dyn Tracker, found: &[String], expected: &[String], of: &str) {
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found, expected, "{part:?}: record {number} of {of}");
    }
    assert_eq!(found.len(), expected.len(), "{part:?}: the number of records of {of}");
}

/// Tracks the steps behind `from`, up to `to`.
fn track(part: &dyn Tracker, folder: &Path, from: u64, to: u64) -> Box<dyn Tracking> {
    let run = TrackedRun {
        folder,
        epochs: (from / STEPS) as usize,
        steps: from,
        config: &config(),
    };
    let opened = part.open(&run);
    let mut tracking = opened.unwrap_or_else(|error| panic!("{part:?} does not open after {from} steps: {error}"));
    for step in from + 1..=to {
        let epoch = ((step - 1) / STEPS) as usize + 1;
        take(part, &mut *tracking, Moment { epoch, step });
    }
    let flushed = tracking.flush();
    flushed.unwrap_or_else(|error| panic!("{part:?} cannot write: {error}"));
    tracking
}

fn take(part: &dyn Tracker, tracking: &mut dyn Tracking, at: Moment) {
    let taken = |what: &str, taken: crate::Result<()>| {
        taken.unwrap_or_else(|error| panic!("{part:?} does not take {what}: {error}"));
    };
    let wants_tensors = tracking.wants_tensors();
    if at.step == 1 && wants_tensors {
        for channels in [1, 3] {
            let pixels = Tensor::arange(channels * 4 * 5, (Kind::Uint8, tch::Device::Cpu)).reshape([channels, 4, 5]);
            taken("an image", tracking.image(at, &format!("views/{channels}"), &pixels));
        }
    }
    taken("a step", tracking.step(at, &values(at.step)));
    if at.step.is_multiple_of(STEPS) && at.epoch <= EPOCHS {
        if wants_tensors {
            let cosines = Tensor::linspace(-1.0, 1.0, 10 * at.step as i64, (Kind::Float, tch::Device::Cpu));
            taken("a histogram", tracking.histogram(at, "cosines/negative", &cosines));
            let none = cosines.slice(0, 0, 0, 1);
            taken("a histogram of nothing", tracking.histogram(at, "cosines/none", &none));
        }
        taken("an epoch", tracking.epoch(at, &values(100 + at.step)));
    }
}

fn end(part: &dyn Tracker, tracking: &mut dyn Tracking, ending: Ending) {
    let ended = tracking.end(ending);
    ended.unwrap_or_else(|error| panic!("{part:?} does not take {ending:?}: {error}"));
}

/// A config with values of every type.
fn config() -> toml::Table {
    let text = "seed = 7\ntext = 'a \"quoted\", long word'\n[train]\nlr = 0.5\non = true\nlist = [1, 2]\nat = 2026-11-30\n\
                [[views.each]]\nname = 'x'";
    text.parse().expect("a table")
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
