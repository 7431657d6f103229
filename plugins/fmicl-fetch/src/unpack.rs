//! Unpacking: into a folder of its own that takes its name when it is whole. An archive that could write elsewhere, or
//! that holds more than it should, is refused.

use crate::partial::with_suffix;
use crate::size::Bytes;
use flate2::read::MultiGzDecoder;
use fmicl_core::{Archive, Error, Format, Result};
use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};
use tar::EntryType;
use zip::ZipArchive;

/// What an entry takes at least: its header, or its place in a folder.
const ENTRY: u64 = 512;

/// The most bytes of an entry's header and names: no path is longer, whatever extensions give it.
const MOST_NAMES: u64 = 1 << 16;

/// Unpacks `path` so that `archive.makes` stands in `folder`, whole, or nothing does.
///
/// # Errors
/// [`Error::Data`] where the archive is broken or refused, [`Error::Io`] where the disk refuses.
pub(crate) fn unpack(path: &Path, archive: &Archive, folder: &Path) -> Result<()> {
    let target = folder.join(&archive.makes);
    let staging = with_suffix(&target, ".partial");
    let made = remake(&staging).and_then(|()| {
        let mut sink = Sink {
            path,
            root: &staging,
            left: archive.at_most,
            archive,
        };
        match archive.format {
            Format::TarGz => sink.tar_gz(),
            Format::Zip => sink.zip(),
        }?;
        let made = staging.join(&archive.makes);
        if !made.is_dir() {
            return Err(Error::data(path, format!("holds no folder {}", archive.makes)));
        }
        fs::rename(made, &target).map_err(|error| Error::io(&target, error))
    });
    // What stays here is removed the next time.
    let _ = fs::remove_dir_all(&staging);
    made
}

/// An empty folder, whatever an earlier run left there.
fn remake(folder: &Path) -> Result<()> {
    let removed = match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    removed
        .and_then(|()| fs::create_dir(folder))
        .map_err(|error| Error::io(folder, error))
}

/// Where the entries of an archive go.
struct Sink<'a> {
    /// The archive's file.
    path: &'a Path,
    root: &'a Path,
    /// How many bytes may still come.
    left: u64,
    archive: &'a Archive,
}

impl Sink<'_> {
    fn tar_gz(&mut self) -> Result<()> {
        let (path, open) = (self.path, self.open()?);
        let broken = |error: io::Error| broken(path, &error);
        let bound = self.archive.at_most.saturating_mul(2).saturating_add(1 << 20);
        // What is read between two entries: headers, and long names, which `tar` reads into memory.
        let between = Cell::new(Some(MOST_NAMES));
        let gzip = MultiGzDecoder::new(open).take(bound);
        let mut tar = tar::Archive::new(Bounded {
            inner: gzip,
            left: &between,
        });
        for entry in tar.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            between.set(None);
            let name = entry.path().map_err(broken)?.into_owned();
            match entry.header().entry_type() {
                EntryType::Directory => self.folder(&name)?,
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => self.file(&name, &mut entry)?,
                // Comments, such as `git archive` writes.
                EntryType::XGlobalHeader => {}
                _ => return Err(self.refuse(&name, "is a link or a device")),
            }
            between.set(Some(MOST_NAMES));
        }
        between.set(None);
        // To the end, where gzip has its own checksum.
        io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(broken)?;
        Ok(())
    }

    fn zip(&mut self) -> Result<()> {
        let path = self.path;
        let broken = |error: zip::result::ZipError| broken(path, &error.into());
        let mut zip = ZipArchive::new(self.open()?).map_err(broken)?;
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).map_err(broken)?;
            let name = PathBuf::from(entry.name());
            // The file type bits of Unix: none, regular or folder.
            let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
            if !matches!(kind, 0 | 0o100_000 | 0o040_000) {
                return Err(self.refuse(&name, "is a link or a device"));
            }
            if entry.is_dir() {
                self.folder(&name)?;
            } else {
                self.file(&name, &mut entry)?;
            }
        }
        Ok(())
    }

    fn open(&self) -> Result<BufReader<File>> {
        let file = File::open(self.path).map_err(|error| Error::io(self.path, error))?;
        Ok(BufReader::with_capacity(1 << 16, file))
    }

    fn folder(&mut self, name: &Path) -> Result<()> {
        self.charge(ENTRY)?;
        let path = self.place(name)?;
        fs::create_dir_all(&path).map_err(|error| Error::io(path, error))
    }

    fn file(&mut self, name: &Path, content: &mut dyn Read) -> Result<()> {
        self.charge(ENTRY)?;
        let path = self.place(name)?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| Error::io(parent, error))?;
        }
        let mut file = File::create_new(&path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => self.refuse(name, "is in it twice"),
            _ => Error::io(&path, error),
        })?;
        let mut buffer = [0; 1 << 14];
        loop {
            match content.read(&mut buffer).map_err(|error| broken(self.path, &error))? {
                0 => return Ok(()),
                read => {
                    self.charge(read as u64)?;
                    file.write_all(&buffer[..read])
                        .map_err(|error| Error::io(&path, error))?;
                }
            }
        }
    }

    /// The place of an entry below the root.
    fn place(&self, name: &Path) -> Result<PathBuf> {
        let mut path = self.root.to_path_buf();
        for component in name.components() {
            match component {
                Component::Normal(part) => path.push(part),
                Component::CurDir => {}
                _ => return Err(self.refuse(name, "leads out of the folder")),
            }
        }
        Ok(path)
    }

    fn charge(&mut self, bytes: u64) -> Result<()> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or_else(|| {
            let most = Bytes(self.archive.at_most);
            Error::data(
                self.path,
                format!("unpacks to more than {most}, the most that it should: it was not unpacked"),
            )
        })?;
        Ok(())
    }

    fn refuse(&self, name: &Path, why: &str) -> Error {
        // A name can hold anything, line ends and escape codes included.
        let name = name.to_string_lossy();
        Error::data(self.path, format!("its entry {name:?} {why}: it was not unpacked"))
    }
}

/// A reader that gives no more than so many bytes, where that is set.
struct Bounded<'a, R> {
    inner: R,
    left: &'a Cell<Option<u64>>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left.get() else {
            return self.inner.read(buffer);
        };
        if left == 0 {
            return Err(io::Error::other(format!("a name of more than {MOST_NAMES} bytes")));
        }
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = self.inner.read(&mut buffer[..most])?;
        self.left.set(Some(left - read as u64));
        Ok(read)
    }
}

fn broken(path: &Path, error: &io::Error) -> Error {
    Error::data(path, format!("is not a complete archive ({error})"))
}
