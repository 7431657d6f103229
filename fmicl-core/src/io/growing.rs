//! Files that grow at their end, of which nothing is lost while the disk is full.

use crate::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::mem::take;
use std::path::{Path, PathBuf};

/// A file that grows at its end. What the disk refuses is said once and kept; it is written with what is added next, or by
/// [`flush`](Growing::flush). Where the file was removed or cut meanwhile, that is said, and it begins anew.
#[derive(Debug)]
pub struct Growing {
    path: PathBuf,
    /// What a new file begins with.
    head: Vec<u8>,
    /// The bytes that are written and whole.
    good: u64,
    /// Those that are not.
    pending: Vec<u8>,
    /// Whether the disk has refused them, which is told once.
    refused: bool,
    /// Whether all that is written is durable.
    durable: bool,
    /// How often it began anew.
    anew: u64,
}

impl Growing {
    /// The file `path`, which need not exist, behind its first `good` bytes: what is beyond them goes when something is added.
    pub fn new(path: PathBuf, good: u64) -> Self {
        Growing {
            path,
            head: Vec::new(),
            good,
            pending: Vec::new(),
            refused: false,
            durable: true,
            anew: 0,
        }
    }

    /// The same, with bytes that stand before the first ones that are added to an empty file.
    #[must_use]
    pub fn with_head(self, head: Vec<u8>) -> Self {
        Growing { head, ..self }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes that are written and whole.
    pub fn good(&self) -> u64 {
        self.good
    }

    /// How often the file began anew since it was opened: each time, [`good`](Growing::good) counts from its new beginning.
    pub fn anew(&self) -> u64 {
        self.anew
    }

    /// Adds bytes, and writes them if the disk takes them. `before` comes first each time, such as making the folder.
    pub fn add_after(&mut self, bytes: &[u8], before: impl FnOnce() -> io::Result<()>) {
        self.pending.extend(bytes);
        let written = before().and_then(|()| self.write());
        self.tell(written);
    }

    /// Adds bytes, and writes them if the disk takes them.
    pub fn add(&mut self, bytes: &[u8]) {
        self.add_after(bytes, || Ok(()));
    }

    /// Makes all bytes durable.
    ///
    /// # Errors
    /// [`Error::Io`] of the disk; what it has refused is kept.
    pub fn flush(&mut self) -> Result<()> {
        let written = self.write();
        let synced = written.and_then(|()| match self.durable {
            true => Ok(()),
            false => match File::open(&self.path) {
                // There is nothing left to make durable.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.begin_anew(0);
                    Ok(())
                }
                file => file.and_then(|file| file.sync_data()),
            },
        });
        self.durable |= synced.is_ok();
        synced.map_err(|error| Error::io(&self.path, error))
    }

    fn tell(&mut self, written: io::Result<()>) {
        if let Err(error) = written
            && !std::mem::replace(&mut self.refused, true)
        {
            let path = self.path.display();
            tracing::warn!("{path}: {error}; what cannot be written is kept, and written when it can be");
        }
    }

    /// Of the good bytes only so many are there.
    fn begin_anew(&mut self, there: u64) {
        let (path, gone) = (self.path.display(), self.good - there);
        tracing::warn!("{path}: {gone} bytes of it were removed meanwhile; it begins anew");
        (self.good, self.anew) = (0, self.anew + 1);
    }

    fn write(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        let mut file = options.create(true).write(true).truncate(false).open(&self.path)?;
        let there = file.metadata()?.len();
        if there < self.good {
            self.begin_anew(there);
        }
        // Of bytes that were refused a part may be there.
        if there != self.good {
            file.set_len(self.good)?;
        }
        if self.good == 0 {
            file.write_all(&self.head)?;
        }
        file.seek(SeekFrom::End(0))?;
        file.write_all(&self.pending)?;
        let head = if self.good == 0 { self.head.len() } else { 0 };
        self.good += (head + take(&mut self.pending).len()) as u64;
        (self.refused, self.durable) = (false, false);
        Ok(())
    }
}

/// Copies a file that is damaged beside itself, as `NAME.damaged` or, where that is taken, `NAME.damaged-2` and so on, and gives
/// it these bytes instead, those of it that are good. Returns the copy's path.
///
/// # Errors
/// [`Error::Io`] of the disk; the file is then as it was.
pub fn mend(path: &Path, name: &str, good: &[u8]) -> Result<PathBuf> {
    let numbered = |number: u32| match number {
        1 => path.with_file_name(format!("{name}.damaged")),
        number => path.with_file_name(format!("{name}.damaged-{number}")),
    };
    let unused = (1..).map(numbered).find(|aside| !aside.exists());
    let aside = unused.unwrap_or_else(|| numbered(1));
    fs::copy(path, &aside).map_err(|error| Error::io(&aside, error))?;
    super::disk::replace(path, good)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn what_the_disk_refuses_is_written_later_and_what_is_left_of_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/x");
        let mut file = Growing::new(path.clone(), 0).with_head(b"head ".into());
        file.add(b"one ");
        file.add(b"two ");
        assert!(file.flush().is_err() && file.good() == 0);
        fs::create_dir(folder.path().join("below")).unwrap();
        // A part of what was refused.
        fs::write(&path, "head o").unwrap();
        file.add(b"three ");
        assert_eq!(text(&path), "head one two three ");
        assert_eq!((file.good(), file.anew()), (19, 0));
        file.flush().unwrap();
        let mut file = Growing::new(path.clone(), 9).with_head(b"head ".into());
        file.add(b"again");
        assert_eq!(text(&path), "head one again", "what is beyond the good bytes goes");
    }

    #[test]
    fn a_file_that_is_removed_or_cut_begins_anew_without_a_hole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut file = Growing::new(path.clone(), 0).with_head(b"head ".into());
        file.add(b"one ");
        fs::remove_file(&path).unwrap();
        file.add(b"two ");
        assert_eq!((&*text(&path), file.good(), file.anew()), ("head two ", 9, 1));
        fs::remove_file(&path).unwrap();
        file.flush().unwrap();
        assert_eq!((file.good(), file.anew()), (0, 2));
        file.add(b"two ");
        assert_eq!(text(&path), "head two ");
        fs::write(&path, "hea").unwrap();
        file.add(b"three ");
        assert_eq!((&*text(&path), file.good(), file.anew()), ("head three ", 11, 3));
    }

    #[test]
    fn a_damaged_file_is_kept_beside_the_good_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        for (number, name) in [(1, "x.jsonl.damaged"), (2, "x.jsonl.damaged-2")] {
            fs::write(&path, format!("bad {number}")).unwrap();
            let aside = mend(&path, "x.jsonl", b"good").unwrap();
            assert_eq!(aside, folder.path().join(name));
            assert_eq!((text(&aside), text(&path)), (format!("bad {number}"), "good".into()));
        }
    }
}
