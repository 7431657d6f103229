//! Files of JSON that grow by lines, of which none is lost while the disk is full.

use fmicl_core::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// A file of JSON, a value a line. What the disk refuses is kept, and written with the next line or by
/// [`flush`](Lines::flush). By default there is no file, and lines are forgotten.
#[derive(Debug, Default)]
pub struct Lines {
    path: Option<PathBuf>,
    /// The bytes that are written and whole.
    good: u64,
    /// Lines that are not.
    pending: String,
}

impl Lines {
    /// Opens the file `path`, which need not exist, and truncates it at the first line that is incomplete, is not JSON
    /// (such as one cut off by a kill) or is rejected by `keep`. Also returns the number of lines that remain.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(path: PathBuf, mut keep: impl FnMut(&Value) -> bool) -> Result<(Self, usize)> {
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => vec![],
            bytes => bytes.map_err(|error| Error::io(&path, error))?,
        };
        let (mut good, mut lines) = (0, 0);
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let is_whole = line.ends_with(b"\n");
            if !(is_whole && serde_json::from_slice(line).is_ok_and(|value| keep(&value))) {
                break;
            }
            (good, lines) = (good + line.len(), lines + 1);
        }
        if good < bytes.len() {
            let file = OpenOptions::new().write(true).open(&path);
            let cut = file.and_then(|file| file.set_len(good as u64).and_then(|()| file.sync_all()));
            cut.map_err(|error| Error::io(&path, error))?;
        }
        let file = Lines {
            path: Some(path),
            good: good as u64,
            pending: String::new(),
        };
        Ok((file, lines))
    }

    /// Adds a line. A failed write is only a warning; the line is then kept and written later.
    ///
    /// # Errors
    /// A value that has no form in JSON.
    pub fn add(&mut self, value: &impl Serialize) -> Result<()> {
        if self.path.is_none() {
            return Ok(());
        }
        let line = serde_json::to_string(value).map_err(|error| Error::Run(format!("a line of JSON: {error}")))?;
        let first = self.pending.is_empty();
        self.pending.extend([&line, "\n"]);
        if let Err(error) = self.flush()
            && first
        {
            tracing::warn!("{error}; it will be written with the next line");
        }
        Ok(())
    }

    /// Writes what the disk has refused so far.
    ///
    /// # Errors
    /// The disk's, again.
    pub fn flush(&mut self) -> Result<()> {
        let Some(path) = self.path.as_ref().filter(|_| !self.pending.is_empty()) else {
            return Ok(());
        };
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(path);
        let written = file.and_then(|mut file| {
            // Of lines that were refused a part may be there.
            file.set_len(self.good)?;
            file.seek(SeekFrom::End(0))?;
            file.write_all(self.pending.as_bytes())?;
            file.sync_data()
        });
        written.map_err(|error| Error::io(path, error))?;
        self.good += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_behind_the_lines_that_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        let text = || fs::read_to_string(&path).unwrap();
        let open = |most: u64| Lines::open(path.clone(), |line| line.as_u64() <= Some(most)).unwrap();
        let (mut file, lines) = open(3);
        assert_eq!(lines, 0);
        (1..=3).for_each(|line| file.add(&line).unwrap());
        assert_eq!((open(5).1, text()), (3, "1\n2\n3\n".into()));
        let (mut file, lines) = open(2);
        assert_eq!((lines, text()), (2, "1\n2\n".into()));
        file.add(&3).unwrap();
        assert_eq!(text(), "1\n2\n3\n");
        // Lines that were cut off in the middle.
        for torn in ["1\n2\n{\"epo", "1\n2\n{\"epo\n3\n", "1\n2\n3"] {
            fs::write(&path, torn).unwrap();
            assert_eq!((open(3).1, text()), (2, "1\n2\n".into()), "{torn:?}");
        }
    }

    #[test]
    fn lines_that_the_disk_refuses_are_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/x.jsonl");
        let (mut file, _) = Lines::open(path.clone(), |_| true).unwrap();
        file.add(&1).unwrap();
        file.add(&2).unwrap();
        assert!(file.flush().is_err() && !path.exists());
        fs::create_dir(folder.path().join("below")).unwrap();
        // A part of what was refused.
        fs::write(&path, "1\n2").unwrap();
        file.add(&3).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
    }
}
