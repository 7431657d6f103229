//! The event files of a run: each process that works on it begins a new one, `events.out.tfevents.NUMBER.fmicl`.
//!
//! On resuming, the files are cut at the step of the run. A viewer that runs meanwhile holds later events in its memory; the
//! session event with which the new file begins makes it forget them.

use super::messages::{Event, SessionLog, What};
use super::records;
use fmicl_core::{Error, Result};
use prost::Message;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const BEFORE: &str = "events.out.tfevents.";
const BEHIND: &str = ".fmicl";
/// With it, a session event makes a reader forget the events from its step on.
const VERSION: &str = "brain.Event:2";

/// Events of a run that grow.
#[derive(Debug)]
pub struct Files {
    path: PathBuf,
    /// The step at which this process began.
    steps: u64,
    /// True if there are files of earlier processes.
    resumed: bool,
    /// Bytes of the file that are written and whole.
    good: u64,
    /// Records that are not.
    pending: Vec<u8>,
    /// Whether the disk has refused them, which is told once.
    refused: bool,
    /// Whether all that is written is durable.
    synced: bool,
    /// Files that are cut before the first event: what an earlier process said at its end is no longer true.
    stale: Vec<Cut>,
}

/// A file that is to be cut.
#[derive(Debug)]
struct Cut {
    path: PathBuf,
    at: u64,
    /// True if nothing is left but the head of the file, which is then removed.
    empty: bool,
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
        let mut files = Files {
            path: folder.join(format!("{BEFORE}{number:010}{BEHIND}")),
            steps,
            resumed: !found.is_empty(),
            good: 0,
            pending: Vec::new(),
            refused: false,
            synced: true,
            stale: Vec::new(),
        };
        for (_, path) in found {
            let scanned = scan(&path, steps, &is_end, &mut keep).map_err(|error| Error::io(&path, error))?;
            scanned.cut.apply().map_err(|error| Error::io(&path, error))?;
            files.stale.extend(scanned.stale);
        }
        Ok(files)
    }

    /// Adds an event. What the disk refuses is kept, told once, and written with the next one.
    pub fn add(&mut self, step: u64, what: What) {
        if self.good == 0 && self.pending.is_empty() {
            self.push(0, What::FileVersion(VERSION.into()));
            if self.resumed {
                self.push(self.steps + 1, What::SessionLog(SessionLog { status: 1 }));
            }
        }
        self.push(step, what);
        self.write();
    }

    fn push(&mut self, step: u64, what: What) {
        let event = Event {
            wall_time: now(),
            step: step as i64,
            what: Some(what),
        };
        records::write(&event.encode_to_vec(), &mut self.pending);
    }

    fn write(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        match self.append() {
            Ok(()) => {
                self.good += self.pending.len() as u64;
                self.pending.clear();
                (self.refused, self.synced) = (false, false);
            }
            Err(error) if !self.refused => {
                self.refused = true;
                let path = self.path.display();
                tracing::warn!("{path}: {error}; events are kept, and written when they can be");
            }
            Err(_) => {}
        }
    }

    fn append(&mut self) -> io::Result<()> {
        while let Some(cut) = self.stale.last() {
            cut.apply()?;
            self.stale.pop();
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&self.path)?;
        // Of events that were refused a part may be there.
        file.set_len(self.good)?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(&self.pending)
    }

    /// Makes what the disk takes durable.
    pub fn flush(&mut self) {
        self.write();
        if !self.synced && File::open(&self.path).and_then(|file| file.sync_data()).is_ok() {
            self.synced = true;
        }
    }
}

impl Cut {
    fn apply(&self) -> io::Result<()> {
        if self.empty {
            return fs::remove_file(&self.path);
        }
        let file = OpenOptions::new().write(true).open(&self.path)?;
        match file.metadata()?.len() > self.at {
            true => file.set_len(self.at).and_then(|()| file.sync_all()),
            false => Ok(()),
        }
    }
}

/// What of a file stays.
struct Scanned {
    cut: Cut,
    stale: Option<Cut>,
}

fn scan(
    path: &Path,
    steps: u64,
    is_end: &impl Fn(&Event) -> bool,
    keep: &mut impl FnMut(&Event),
) -> io::Result<Scanned> {
    let mut from = BufReader::new(File::open(path)?);
    let cut = |at, events: usize| Cut {
        path: path.into(),
        at,
        empty: events == 0,
    };
    let (mut at, mut events, mut stale) = (0, 0, None);
    while let Some(data) = records::read(&mut from)? {
        let Ok(event) = Event::decode(&data[..]) else { break };
        let is_head = !matches!(event.what, Some(What::Summary(_)));
        if !is_head && event.step > steps as i64 {
            break;
        }
        if stale.is_none() && is_end(&event) {
            stale = Some(cut(at, events));
        }
        if stale.is_none() {
            keep(&event);
        }
        at += records::size(&data);
        events += usize::from(!is_head);
    }
    Ok(Scanned {
        cut: cut(at, events),
        stale,
    })
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
