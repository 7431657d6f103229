//! Files of JSON that grow by lines, of which none is lost while the disk is full.

use fmicl_core::{Error, Growing, Result, mend};
use serde::Serialize;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A file of JSON, a value a line. By default there is no file, and lines are forgotten.
#[derive(Debug, Default)]
pub struct Lines(Option<Growing>);

impl Lines {
    /// Opens the file `path`, which need not exist, and truncates it behind its last line that is whole, JSON, and accepted by
    /// `keep`. If other lines stand before that, they are left out, and the file as it was is kept beside it. Also returns the
    /// number of lines that remain.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(path: PathBuf, keep: impl FnMut(&Value) -> bool) -> Result<(Self, usize)> {
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => vec![],
            bytes => bytes.map_err(|error| Error::io(&path, error))?,
        };
        let lines = good_lines(&bytes, keep);
        let good: usize = lines.iter().map(|line| line.len()).sum();
        if !bytes.starts_with(&lines.concat()) {
            leave_out_damaged(&path, &lines.concat())?;
        } else if good < bytes.len() {
            let file = OpenOptions::new().write(true).open(&path);
            let cut = file.and_then(|file| file.set_len(good as u64).and_then(|()| file.sync_all()));
            cut.map_err(|error| Error::io(&path, error))?;
        }
        Ok((Lines(Some(Growing::new(path, good as u64))), lines.len()))
    }

    /// Adds a line. A failed write is only a warning; the line is then kept and written later.
    ///
    /// # Errors
    /// A value that has no form in JSON.
    pub fn add(&mut self, value: &impl Serialize) -> Result<()> {
        if let Some(file) = &mut self.0 {
            let line = serde_json::to_string(value).map_err(|error| Error::Run(format!("a line of JSON: {error}")))?;
            file.add(format!("{line}\n").as_bytes());
        }
        Ok(())
    }

    /// Has all lines on the disk, also those that it has refused so far.
    ///
    /// # Errors
    /// The disk's, again.
    pub fn flush(&mut self) -> Result<()> {
        self.0.as_mut().map_or(Ok(()), Growing::flush)
    }
}

/// The whole lines that are JSON and kept.
fn good_lines(bytes: &[u8], mut keep: impl FnMut(&Value) -> bool) -> Vec<&[u8]> {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let whole = lines.filter(|line| line.ends_with(b"\n"));
    let good = whole.filter(|line| serde_json::from_slice(line).is_ok_and(|value| keep(&value)));
    good.collect()
}

fn leave_out_damaged(path: &Path, good: &[u8]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = mend(path, &name, good)?;
    tracing::warn!(
        "{}: lines that are damaged are left out; the file as it was is {}",
        path.display(),
        aside.display()
    );
    Ok(())
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
        // Lines that were cut off.
        for torn in ["1\n2\n{\"epo", "1\n2\n{\"epo\n", "1\n2\n{\"epo\n4\n", "1\n2\n3"] {
            fs::write(&path, torn).unwrap();
            assert_eq!((open(3).1, text()), (2, "1\n2\n".into()), "{torn:?}");
        }
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is kept beside it"
        );
    }

    #[test]
    fn lines_behind_a_damaged_one_stay_and_the_file_as_it_was_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        fs::write(&path, "1\n\0\u{1}\n9\n3\n4\n5").unwrap();
        let (mut file, lines) = Lines::open(path.clone(), |line| line.as_u64() <= Some(3)).unwrap();
        file.add(&7).unwrap();
        assert_eq!((lines, &*fs::read_to_string(&path).unwrap()), (2, "1\n3\n7\n"));
        let aside = fs::read_to_string(folder.path().join("x.jsonl.damaged")).unwrap();
        assert_eq!(aside, "1\n\0\u{1}\n9\n3\n4\n5");
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
