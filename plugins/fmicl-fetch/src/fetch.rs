//! From a declared source to files that the reader finds.

use crate::checksum::mismatch;
use crate::client::Client;
use crate::event::{Event, Report};
use crate::origin::Origin;
use crate::partial::Partial;
use crate::size::check_space;
use crate::unpack::unpack;
use fmicl_core::{Download, Error, Result, Source};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How to fetch.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// A mirror instead of the official addresses, or a folder or file on the disk.
    pub from: Option<String>,
    /// How long to wait for a connection, an answer, or the next bytes.
    pub patience: Duration,
}

impl Default for Fetch {
    fn default() -> Self {
        Fetch {
            from: None,
            patience: Duration::from_secs(60),
        }
    }
}

/// Brings every file of `source` into its folder, checked and unpacked, and returns the paths that are new; those that
/// are there already are left as they are.
///
/// A file grows as `NAME.partial`, from which the next run goes on, however this one ended; an archive unpacks into a
/// temporary folder. So whatever bears its own name is whole.
///
/// # Errors
/// In one line: the network, the disk, a file that is not the published one ([`Error::Data`]), an archive that is refused.
pub fn fetch(source: &Source, options: &Fetch, mut report: impl FnMut(Event)) -> Result<Vec<PathBuf>> {
    let client = Client::new(options.patience);
    let folder = &source.folder;
    let new = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let made: Vec<&Path> = folder.ancestors().take_while(new).collect();
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    let mut fetched = Vec::new();
    for download in &source.downloads {
        let origin = Origin::new(download, options.from.as_deref(), source.downloads.len() == 1);
        let new = origin.and_then(|origin| {
            Job {
                download,
                origin,
                folder,
                client: &client,
            }
            .run(&mut report)
        });
        match new {
            Ok(new) => fetched.extend(new),
            Err(error) => {
                // As far as they are empty.
                let _ = made.into_iter().try_for_each(fs::remove_dir);
                return Err(error);
            }
        }
    }
    Ok(fetched)
}

/// One file.
struct Job<'a> {
    download: &'a Download,
    origin: Origin,
    folder: &'a Path,
    client: &'a Client,
}

impl Job<'_> {
    /// The path, where it is new.
    fn run(&self, report: Report) -> Result<Option<PathBuf>> {
        let name = self.download.file_name();
        let target = match &self.download.unpack {
            Some(archive) => self.folder.join(&archive.makes),
            None => self.folder.join(name),
        };
        if target.exists() {
            return self.check_present(&target).map(|()| None);
        }
        report(Event::File(&self.origin.to_string()));
        match (&self.origin, &self.download.unpack) {
            (Origin::File(path), Some(_)) => {
                self.check_space(0)?;
                self.verify(path, report)?;
                self.unpack(path, report)?;
            }
            (origin, _) => {
                let mut partial = Partial::open(&self.folder.join(name))?;
                let filled = self.check_space(partial.len()).and_then(|()| match origin {
                    Origin::Url(url) => self.client.download(url, self.download, &mut partial, report),
                    Origin::File(path) => copy(path, &mut partial),
                });
                if let Err(error) = filled {
                    if partial.len() == 0 {
                        partial.remove();
                    }
                    return Err(error);
                }
                self.settle(partial, &target, report)?;
            }
        }
        Ok(Some(target))
    }

    /// From the whole download to what the reader reads. What is not the published file, or is refused, is removed; where
    /// the disk is at fault the download stays.
    fn settle(&self, partial: Partial, target: &Path, report: Report) -> Result<()> {
        let settled = self
            .verify(partial.path(), report)
            .and_then(|()| match self.download.unpack {
                Some(_) => self.unpack(partial.path(), report),
                None => Ok(()),
            });
        match settled {
            Ok(()) if self.download.unpack.is_none() => partial.finish(target),
            Ok(()) => {
                partial.remove();
                Ok(())
            }
            Err(error @ Error::Data { .. }) => {
                partial.remove();
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Checks that there is room for the rest of the download and for what it unpacks to.
    fn check_space(&self, done: u64) -> Result<()> {
        let unpacked = self.download.unpack.as_ref().map_or(0, |archive| archive.at_most);
        let rest = match self.origin {
            Origin::File(_) if self.download.unpack.is_some() => 0,
            _ => self.download.bytes.unwrap_or(0).saturating_sub(done),
        };
        check_space(self.folder, unpacked.saturating_add(rest))
    }

    fn verify(&self, path: &Path, report: Report) -> Result<()> {
        let Some(published) = &self.download.checksum else {
            report(Event::Note("not checked: no checksum is published for it"));
            return Ok(());
        };
        match mismatch(path, published)? {
            None => {
                report(Event::Note(&format!("checked: {published}")));
                Ok(())
            }
            Some(found) => {
                let message = format!("has {found} where {published} is published: it is broken, or another file");
                Err(Error::data(path, message))
            }
        }
    }

    fn unpack(&self, path: &Path, report: Report) -> Result<()> {
        let Some(archive) = &self.download.unpack else {
            return Ok(());
        };
        report(Event::Note("unpacking"));
        unpack(path, archive, self.folder)
    }

    /// An unpacked folder is whole, since it has its name; a file can be anyone's.
    fn check_present(&self, target: &Path) -> Result<()> {
        let (None, Some(published)) = (&self.download.unpack, &self.download.checksum) else {
            return Ok(());
        };
        match mismatch(target, published)? {
            None => Ok(()),
            Some(found) => {
                let message = format!("is there already, but has {found} where {published} is published; move it away");
                Err(Error::data(target, message))
            }
        }
    }
}

fn copy(path: &Path, partial: &mut Partial) -> Result<()> {
    let refused = |error: io::Error| Error::io(path, error);
    let mut file = File::open(path).map_err(refused)?;
    partial.restart(None)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(refused)? {
            0 => return Ok(()),
            read => partial.append(&buffer[..read])?,
        }
    }
}
