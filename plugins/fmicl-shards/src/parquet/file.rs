//! A file that `parquet` reads through, and that remembers what it gave: so that a value is found again where it lies.

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A file of known length.
#[derive(Clone)]
pub(super) struct Source(Arc<Inner>);

struct Inner {
    file: File,
    length: u64,
    /// Whether the metadata have been read, and pages are.
    has_begun: AtomicBool,
    /// The pieces that were read, and their offsets.
    pieces: Mutex<Vec<Piece>>,
}

struct Piece {
    offset: u64,
    address: usize,
    length: usize,
}

/// What a page may unpack to whatever it is packed to.
const LEAST: u64 = 32 << 20;
/// How many times its size a page may unpack to, beyond that: deflate packs 1,032 bytes into one.
const MOST_TIMES: u64 = 1032;

impl Source {
    pub fn new(file: File, length: u64) -> Self {
        Source(Arc::new(Inner {
            file,
            length,
            has_begun: AtomicBool::new(false),
            pieces: Mutex::default(),
        }))
    }

    /// From here on, pages are read.
    pub fn begin(&self) {
        self.0.has_begun.store(true, Ordering::Relaxed);
    }

    /// Where a value begins in the file; none where it was unpacked.
    pub fn offset(&self, value: &[u8]) -> Option<u64> {
        let pieces = self.0.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let address = value.as_ptr().addr();
        let piece = pieces.iter().rev().find(|piece| {
            let within = address.checked_sub(piece.address);
            within.is_some_and(|within| within + value.len() <= piece.length)
        })?;
        let offset = piece.offset + (address - piece.address) as u64;
        // What was unpacked may lie where an older piece has been.
        let mut there = vec![0; value.len()];
        self.0.file.read_exact_at(&mut there, offset).ok()?;
        (there == value).then_some(offset)
    }

    /// Forgets what was read: the values of it are no longer held.
    pub fn forget(&self) {
        self.0.pieces.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.0.length
    }
}

impl ChunkReader for Source {
    type T = BufReader<At>;

    /// Called for the header of a page, once the metadata are read: one that claims to unpack to more than it can is refused here, since the memory is
    /// taken at once.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let at = || At {
            source: self.clone(),
            at: start,
        };
        if self.0.has_begun.load(Ordering::Relaxed) {
            let mut header = Vec::new();
            at().take(64).read_to_end(&mut header)?;
            let none = || ParquetError::General(format!("no page begins at byte {start}"));
            let [_, unpacked, packed] = integers(&header).ok_or_else(none)?;
            if unpacked > LEAST.max(packed.saturating_mul(MOST_TIMES)) {
                let message = format!("the page at byte {start} claims that {packed} bytes unpack to {unpacked}");
                return Err(ParquetError::General(message));
            }
        }
        Ok(BufReader::with_capacity(1 << 10, at()))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.0.length) {
            let message = format!("{length} bytes at byte {start} are beyond the end of the file");
            return Err(ParquetError::General(message));
        }
        let mut bytes = vec![0; length];
        self.0.file.read_exact_at(&mut bytes, start)?;
        let bytes = Bytes::from(bytes);
        let piece = Piece {
            offset: start,
            address: bytes.as_ptr().addr(),
            length,
        };
        self.0.pieces.lock().unwrap_or_else(PoisonError::into_inner).push(piece);
        Ok(bytes)
    }
}

/// The first three integers of a page's header, in Thrift's compact protocol: its type, and its sizes unpacked and packed.
fn integers(header: &[u8]) -> Option<[u64; 3]> {
    let mut rest = header.iter();
    let mut next = || {
        // A field whose number is one more, of 32 bits.
        if *rest.next()? != 0x15 {
            return None;
        }
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let byte = *rest.next()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        // Zigzag; a negative size is none.
        (value & 1 == 0).then_some(value >> 1)
    };
    Some([next()?, next()?, next()?])
}

/// Reads on from a place.
pub(super) struct At {
    source: Source,
    at: u64,
}

impl Read for At {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.0.file.read_at(out, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_claims_more_than_it_can_hold_is_refused_before_memory_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let error = |header: &[u8]| {
            std::fs::write(&path, header).unwrap();
            let source = Source::new(File::open(&path).unwrap(), header.len() as u64);
            source.begin();
            source.get_read(0).map(|_| ()).map_err(|error| error.to_string())
        };
        // Type 0, 100 bytes, 50 of them packed.
        assert_eq!(error(&[0x15, 0, 0x15, 0xc8, 1, 0x15, 100]), Ok(()));
        let claimed = error(&[0x15, 0, 0x15, 0xfe, 0xff, 0xff, 0xff, 0xf, 0x15, 100]).unwrap_err();
        assert!(
            claimed.ends_with("the page at byte 0 claims that 50 bytes unpack to 2147483647"),
            "{claimed}"
        );
        assert!(
            error(&[0x15, 1, 0x15, 0, 0x15, 0])
                .unwrap_err()
                .ends_with("no page begins at byte 0")
        );
        assert!(error(b"").is_err());
    }

    #[test]
    fn a_value_is_found_where_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"0123456789").unwrap();
        let source = Source::new(File::open(&path).unwrap(), 10);
        let pieces = [(0, 5), (4, 6)].map(|(start, length)| source.get_bytes(start, length).unwrap());
        assert_eq!(source.offset(&pieces[1].slice(2..4)), Some(6));
        assert_eq!(source.offset(&pieces[0].slice(3..5)), Some(3));
        assert_eq!(source.offset(b"elsewhere"), None);
        assert!(source.get_bytes(5, 6).is_err());
    }
}
