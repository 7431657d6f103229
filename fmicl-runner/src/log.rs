//! The log: everything goes to the run's file once it is open; warnings go to stderr too.

use fmicl_core::{Error, Result};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Mutex;
use tracing_subscriber::{Layer, filter::LevelFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

static FILE: Mutex<Option<File>> = Mutex::new(None);

/// Starts logging; call once in a process.
pub fn init() {
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let to_stderr = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(colour)
        .with_target(false)
        .without_time();
    let to_file = fmt::layer().with_writer(|| ToFile).with_ansi(false).with_target(false);
    // Where a host program has its own subscriber, that one stays.
    let _ = tracing_subscriber::registry()
        .with(to_stderr.with_filter(LevelFilter::WARN))
        .with(to_file.with_filter(LevelFilter::INFO))
        .try_init();
}

/// Sends the log to a new file.
///
/// # Errors
/// The disk's.
pub fn open(path: &Path) -> Result<()> {
    let file = File::create(path).map_err(|error| Error::io(path, error))?;
    if let Ok(mut slot) = FILE.lock() {
        *slot = Some(file);
    }
    Ok(())
}

struct ToFile;

impl Write for ToFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match FILE.lock().ok().as_mut().and_then(|slot| slot.as_mut()) {
            Some(file) => file.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
