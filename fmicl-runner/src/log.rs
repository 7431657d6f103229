//! The log: all messages go to the run's `log.txt`, also those from before it was opened; warnings go to stderr, too.

use crate::{shown, wrap};
use fmicl_core::{Error, Result};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{LevelFilter, dynamic_filter_fn};
use tracing_subscriber::fmt::{format::Writer, time::FormatTime};
use tracing_subscriber::{Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Of what stderr is told in other words.
const FOR_THE_FILE: &str = "for the file";

static LOG: Mutex<Log> = Mutex::new(Log::Early(Vec::new()));

enum Log {
    /// Messages from before there was a file, such as those on the data.
    Early(Vec<u8>),
    File(File),
}

/// True if stderr gets all of the log.
static TELLS: AtomicBool = AtomicBool::new(false);

/// Starts logging; call once in a process. Stderr has warnings alone.
pub(crate) fn init() {
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // A line in a scheduler's log has its time; a warning above a progress bar has none.
    let timed = fmt::layer().with_timer(ToTheSecond);
    let timed = timed.with_writer(|| wrap::Stderr).with_ansi(colour).with_target(false);
    let timeless = fmt::layer().without_time();
    let timeless = timeless
        .with_writer(|| wrap::Stderr)
        .with_ansi(colour)
        .with_target(false);
    let to_file = fmt::layer().with_writer(|| ToFile).with_ansi(false).with_target(false);
    // Where a host program has its own subscriber, that one stays.
    let _ = tracing_subscriber::registry()
        .with(timed.with_filter(dynamic_filter_fn(|about, _| is_for_stderr(about, true))))
        .with(timeless.with_filter(dynamic_filter_fn(|about, _| is_for_stderr(about, false))))
        .with(to_file.with_filter(LevelFilter::INFO))
        .try_init();
}

/// The time in UTC, to the second.
struct ToTheSecond;

impl FormatTime for ToTheSecond {
    fn format_time(&self, writer: &mut Writer) -> std::fmt::Result {
        writer.write_str(&shown::time(SystemTime::now()))
    }
}

/// Whether stderr has what is logged, with or without its time.
fn is_for_stderr(about: &Metadata, timed: bool) -> bool {
    let tells = TELLS.load(Ordering::Relaxed);
    let most = if tells { Level::INFO } else { Level::WARN };
    *about.level() <= most && about.target() != FOR_THE_FILE && tells == timed
}

/// From now on stderr has all of the log, and not only warnings.
pub(crate) fn tell() {
    TELLS.store(true, Ordering::Relaxed);
}

/// From now on stderr has warnings alone: another process tells the rest.
pub(crate) fn leave_telling() {
    TELLS.store(false, Ordering::Relaxed);
}

/// Why the process ends: on stderr, behind `mark`, and in the run's file, where there is one.
pub fn end(mark: &str, why: &str) {
    // Nothing is left to do where nobody reads stderr any more.
    let _ = wrap::Stderr.write_all(format!("{mark}{why}\n").as_bytes());
    tracing::error!(target: FOR_THE_FILE, "{why}");
}

/// A line for the run's file alone.
pub(crate) fn in_file(line: &str) {
    tracing::info!(target: FOR_THE_FILE, "{line}");
}

/// Sends the log to a file, behind what is in it; what was said before comes first.
///
/// # Errors
/// The disk's.
pub(crate) fn open(path: &Path) -> Result<()> {
    let io = |error| Error::io(path, error);
    let mut file = File::options().create(true).append(true).open(path).map_err(io)?;
    if let Ok(mut log) = LOG.lock() {
        if let Log::Early(early) = &*log {
            file.write_all(early).map_err(io)?;
        }
        *log = Log::File(file);
    }
    Ok(())
}

struct ToFile;

impl Write for ToFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match LOG.lock().as_deref_mut() {
            Ok(Log::File(file)) => file.write(bytes),
            Ok(Log::Early(early)) => early.write(bytes),
            Err(_) => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_before_there_was_a_file_stands_at_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        ToFile.write_all(b"early\n").unwrap();
        open(&path).unwrap();
        ToFile.write_all(b"late\n").unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "early\nlate\n");
    }
}
