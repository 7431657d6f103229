//! A tar file as WebDataset makes it: files that follow each other and share a key are a sample.
//!
//! The key is a file's path up to the first dot of its name, and the rest is its extension in small letters: `a/b.left.JPG` is
//! `left.jpg` of `a/b`. Source: webdataset 1.0, `tariterators.py`. Headers alone are read, contents are skipped.

mod label;
mod reader;
mod sample;

pub(crate) use label::{Label, number};
pub(crate) use sample::Wanted;

use crate::section::{Section, Stamp};
use fmicl_core::{Error, Result, not_a_pointer, open_file};
use reader::Reader;
use sample::{Entry, Group};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Tar's unit.
const BLOCK: u64 = 512;

/// Looks through the headers of the shard at `path`.
///
/// # Errors
/// [`Error::Data`] where it is no tar file, is compressed or truncated, has no sample, or a sample's files or label are not what
/// they should be; [`Error::Io`] where it cannot be read.
pub(crate) fn scan(path: &Path, stamp: Stamp, wanted: &Wanted) -> Result<Section> {
    let reader = Reader::new(open_file(path, "it was there a moment ago")?);
    refuse_others(path, &reader.start().map_err(|error| Error::io(path, error))?)?;
    let mut archive = tar::Archive::new(&reader);
    let mut group = Group::new(path, wanted, Section::new(stamp));
    let broken = |error: std::io::Error| {
        let at = reader.position();
        Error::data(
            path,
            format!("is damaged, or no tar file, at byte {at}: {}", readable(&error)),
        )
    };
    for entry in archive.entries_with_seek().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let (offset, size) = (entry.raw_file_position(), entry.size());
        if offset.checked_add(size).is_none_or(|end| end > stamp.bytes) {
            let message = format!(
                "is truncated: `{name}` at byte {offset} has {size} bytes, and the file ends at byte {}",
                stamp.bytes
            );
            return Err(Error::data(path, message));
        }
        let kind = entry.header().entry_type();
        let found = Entry {
            name,
            offset,
            size,
            is_file: matches!(kind, tar::EntryType::Regular | tar::EntryType::Continuous),
            content: &mut |most| {
                let mut bytes = Vec::new();
                let read = entry.by_ref().take(most).read_to_end(&mut bytes);
                read.map(|_| bytes).map_err(broken)
            },
        };
        if !kind.is_dir() && !kind.is_pax_global_extensions() {
            group.add(found)?;
        }
    }
    check_end(path, &reader)?;
    group.finish()
}

/// Refuses what is no tar file, by its start.
fn refuse_others(path: &Path, start: &[u8]) -> Result<()> {
    not_a_pointer(path, start)?;
    let compressed: [(&[u8], &str, &str, &[&str]); 4] = [
        (b"\x1f\x8b", "gzip", "gunzip", &["gz", "tgz"]),
        (b"\x28\xb5\x2f\xfd", "zstd", "unzstd", &["zst", "tzst"]),
        (b"BZh", "bzip2", "bunzip2", &["bz2", "tbz2", "tbz"]),
        (b"\xfd7zXZ", "xz", "unxz", &["xz", "txz"]),
    ];
    let message = match compressed.iter().find(|(magic, ..)| start.starts_with(magic)) {
        Some((_, format, command, extensions)) => {
            let shown = path.display();
            // The commands go by the name of the file.
            let command = match has_extension(path, extensions) {
                true => format!("{command} --keep {shown}"),
                false => format!("mv {shown} {shown}.{0} && {command} {shown}.{0}", extensions[0]),
            };
            format!(
                "is compressed by {format}, so that nothing in it can be read without all before it: unpack it once with `{command}`"
            )
        }
        None if start.is_empty() => "is empty, and no tar file".into(),
        None => return Ok(()),
    };
    Err(Error::data(path, message))
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let own = path.extension().map(|own| own.to_string_lossy().to_lowercase());
    own.is_some_and(|own| extensions.contains(&&*own))
}

/// An error in words, without the bytes that are no header: those of `tar` quote them.
fn readable(error: &std::io::Error) -> String {
    let words = error.to_string();
    let is_unprintable = |c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER;
    match words.contains(" when getting ") || words.contains(is_unprintable) {
        true => "no header of a file begins there".into(),
        false => words,
    }
}

/// Checks that a tar file ends as tar files do, in zeros: else it is a part of one, or there is more in it.
fn check_end(path: &Path, reader: &Reader) -> Result<()> {
    let at = reader.position();
    if reader.has_ended() {
        let message = format!("is truncated: it ends at byte {at} without the zeros that end a tar file");
        return Err(Error::data(path, message));
    }
    match reader.rest_is_zeros().map_err(|error| Error::io(path, error))? {
        true => Ok(()),
        false => {
            let message =
                format!("has more behind the end of its tar file at byte {at}, which is not read: pack it anew");
            Err(Error::data(path, message))
        }
    }
}

/// The name of the file that a piece is, from the header before it; of a long name, its start.
pub(crate) fn name(file: &File, section: &Section, piece: usize) -> Option<String> {
    let mut header = tar::Header::new_old();
    let at = section.offsets.get(piece)?.checked_sub(BLOCK)?;
    file.read_exact_at(header.as_mut_bytes(), at).ok()?;
    let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests;
