//! What of an event file stays when its run is resumed.

use super::messages::{Event, What};
use super::records;
use fmicl_core::{Error, Result, mend};
use prost::Message;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A file that is to be cut.
#[derive(Debug)]
pub struct Cut {
    path: PathBuf,
    at: u64,
    /// True if nothing is left but the head of the file, which is then removed.
    empty: bool,
}

impl Cut {
    /// Cuts it; one that is gone needs no cut.
    ///
    /// # Errors
    /// The disk's.
    pub fn apply(&self) -> io::Result<()> {
        let cut = match self.empty {
            true => fs::remove_file(&self.path),
            false => self.shorten(),
        };
        match cut {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            cut => cut,
        }
    }

    fn shorten(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        match file.metadata()?.len() > self.at {
            true => file.set_len(self.at).and_then(|()| file.sync_all()),
            false => Ok(()),
        }
    }
}

/// Cuts a file behind the events of step `steps`. Damaged records before that are left out; the file as it was is then kept
/// beside it, as `aside` with the ending of [`mend`]. `keep` is told the events that stay; those from the first for which `is_end`
/// is true stay as long as the returned cut is not applied.
///
/// # Errors
/// The disk's.
pub fn scan(
    path: &Path,
    aside: &str,
    steps: u64,
    is_end: &impl Fn(&Event) -> bool,
    keep: &mut impl FnMut(&Event),
) -> Result<Option<Cut>> {
    let io = |error| Error::io(path, error);
    let mut from = BufReader::new(File::open(path).map_err(io)?);
    let cut = |at, events: usize| Cut {
        path: path.into(),
        at,
        empty: events == 0,
    };
    let (mut kept, mut bytes, mut events, mut stale) = (Vec::new(), 0, 0, None);
    while let Some((place, event)) = next(&mut from).map_err(io)? {
        let is_head = !matches!(event.what, Some(What::Summary(_)));
        if !is_head && event.step > steps as i64 {
            break;
        }
        if stale.is_none() && is_end(&event) {
            stale = Some(cut(bytes, events));
        }
        if stale.is_none() {
            keep(&event);
        }
        bytes += place.end - place.start;
        events += usize::from(!is_head);
        kept.push(place);
    }
    // Without a gap the last one ends where their bytes do.
    if kept.last().is_some_and(|last| last.end > bytes) {
        let good = read_all(&mut from, &kept, bytes).map_err(io)?;
        let aside = mend(path, aside, &good)?;
        tracing::warn!(
            "{}: records that are damaged are left out; the file as it was is {}",
            path.display(),
            aside.display()
        );
    }
    cut(bytes, events).apply().map_err(io)?;
    Ok(stale)
}

/// The next event that is whole, and its place in the file.
fn next(from: &mut BufReader<File>) -> io::Result<Option<(Range<u64>, Event)>> {
    let mut at = from.stream_position()?;
    loop {
        if let Some(data) = records::read(from)?
            && let Ok(event) = Event::decode(&data[..])
        {
            return Ok(Some((at..at + records::size(&data), event)));
        }
        from.seek(SeekFrom::Start(at + 1))?;
        let Some(skipped) = records::skip_to_head(from)? else {
            return Ok(None);
        };
        at += 1 + skipped;
        from.seek(SeekFrom::Start(at))?;
    }
}

/// The bytes of these places, so many in all.
fn read_all(from: &mut BufReader<File>, places: &[Range<u64>], bytes: u64) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    all.try_reserve_exact(bytes as usize).map_err(io::Error::other)?;
    for place in places {
        from.seek(SeekFrom::Start(place.start))?;
        from.take(place.end - place.start).read_to_end(&mut all)?;
    }
    Ok(all)
}
