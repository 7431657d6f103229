//! The log: everything goes to the run's file, what comes before it is open too; warnings go to stderr as well.

use fmicl_core::{Error, Result};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Mutex;
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::{Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Of what stderr is told in other words.
const FOR_THE_FILE: &str = "for the file";

static LOG: Mutex<Log> = Mutex::new(Log::Early(Vec::new()));

enum Log {
    /// What was said before there was a file, such as of the data.
    Early(Vec<u8>),
    File(File),
}

/// Starts logging; call once in a process. With `tell` stderr has all of it, unless it is a terminal.
pub fn init(tell: bool) {
    let is_terminal = io::stderr().is_terminal();
    let least = if tell && !is_terminal {
        LevelFilter::INFO
    } else {
        LevelFilter::WARN
    };
    let colour = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let to_stderr = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(colour)
        .with_target(false)
        .without_time();
    let to_file = fmt::layer().with_writer(|| ToFile).with_ansi(false).with_target(false);
    // Where a host program has its own subscriber, that one stays.
    let _ = tracing_subscriber::registry()
        .with(to_stderr.with_filter(least.and(filter_fn(|about| about.target() != FOR_THE_FILE))))
        .with(to_file.with_filter(LevelFilter::INFO))
        .try_init();
}

/// Why the process ends, for the run's file, where there is one.
pub fn end(why: &str) {
    tracing::error!(target: FOR_THE_FILE, "{why}");
}

/// Sends the log to a file, behind what is in it; what was said before comes first.
///
/// # Errors
/// The disk's.
pub fn open(path: &Path) -> Result<()> {
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
