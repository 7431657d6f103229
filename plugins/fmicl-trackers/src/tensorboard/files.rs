//! The event files of a run: each process that works on it begins a new one, `events.out.tfevents.NUMBER.fmicl`.
//!
//! On resuming, the files are cut at the step of the run. A viewer that runs meanwhile holds later events in its memory; the
//! session event with which the new file begins makes it forget them.

use super::messages::{Event, SessionLog, What};
use super::records;
use super::scan::{Cut, scan};
use fmicl_core::{Error, Growing, Result};
use prost::Message;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const BEFORE: &str = "events.out.tfevents.";
const BEHIND: &str = ".fmicl";
/// With it, a session event makes a reader forget the events from its step on.
const VERSION: &str = "brain.Event:2";

/// Events of a run that grow.
#[derive(Debug)]
pub struct Files {
    file: Growing,
    /// Files that are cut before the first event: what an earlier process said at its end is no longer true.
    stale: Vec<Cut>,
}

impl Files {
    /// The files in a folder, cut behind the events of step `steps`, and the events that stay. Those from the first for
    /// which `is_end` is true are cut when another one comes.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(
        folder: &Path,
        steps: u64,
        is_end: impl Fn(&Event) -> bool,
        mut keep: impl FnMut(&Event),
    ) -> Result<Self> {
        let found = numbered(folder).map_err(|error| Error::io(folder, error))?;
        let number = found.last().map_or(0, |(number, _)| number + 1);
        let mut head = record(0, What::FileVersion(VERSION.into()));
        if !found.is_empty() {
            head.extend(record(steps + 1, What::SessionLog(SessionLog { status: 1 })));
        }
        let path = folder.join(format!("{BEFORE}{number:010}{BEHIND}"));
        let mut stale = Vec::new();
        for (number, path) in found {
            // A viewer reads every file that has `tfevents` in its name.
            let aside = format!("{number:010}{BEHIND}");
            stale.extend(scan(&path, &aside, steps, &is_end, &mut keep)?);
        }
        let file = Growing::new(path, 0).with_head(head);
        Ok(Files { file, stale })
    }

    /// Adds an event. What the disk refuses is kept, told once, and written with the next one.
    pub fn add(&mut self, step: u64, what: What) {
        let folder = self.file.path().parent().unwrap_or(Path::new("")).to_path_buf();
        let stale = &mut self.stale;
        self.file.add_after(&record(step, what), || {
            while let Some(cut) = stale.last() {
                cut.apply()?;
                stale.pop();
            }
            fs::create_dir_all(folder)
        });
    }

    /// Makes what the disk takes durable.
    pub fn flush(&mut self) {
        // Where it fails, the next one may not; no checkpoint relies on it.
        let _ = self.file.flush();
    }
}

/// The bytes of an event.
fn record(step: u64, what: What) -> Vec<u8> {
    let event = Event {
        wall_time: now(),
        step: step as i64,
        what: Some(what),
    };
    let mut bytes = Vec::new();
    records::write(&event.encode_to_vec(), &mut bytes);
    bytes
}

/// The event files of a folder by their numbers, in order.
fn numbered(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(BEFORE)?.strip_suffix(BEHIND)?.parse().ok());
        if let (Some(number), true) = (number, entry.file_type()?.is_file()) {
            found.push((number, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// Seconds since 1970.
pub fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}
