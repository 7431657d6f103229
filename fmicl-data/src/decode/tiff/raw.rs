//! A file that says of its first image that its samples are gray.

use crate::decode::TRUNCATED;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// The tag of what the colours are, and what it says of gray samples of which 0 is black.
const PHOTOMETRIC: usize = 262;
const BLACK_IS_ZERO: u16 = 1;
/// From here on tags are of whoever invented them, and none is looked at.
const FIRST_PRIVATE: usize = 1 << 15;

/// The bytes of a file but for two of them, without a copy.
pub(super) struct Raw<'a> {
    file: Cursor<&'a [u8]>,
    at: usize,
    value: [u8; 2],
}

impl<'a> Raw<'a> {
    /// With what the file says that its colours are.
    ///
    /// # Errors
    /// It does not say so, or a tag claims more values than there are bytes: room would be made for them.
    pub(super) fn new(bytes: &'a [u8]) -> Result<(Self, u16), String> {
        let order = Order {
            bytes,
            is_little: bytes.starts_with(b"I"),
        };
        let at = order.photometric()?;
        let photometric = order.number(at, 2).ok_or(TRUNCATED)? as u16;
        let value = match order.is_little {
            true => BLACK_IS_ZERO.to_le_bytes(),
            false => BLACK_IS_ZERO.to_be_bytes(),
        };
        let file = Cursor::new(bytes);
        Ok((Raw { file, at, value }, photometric))
    }
}

/// The numbers of a file.
struct Order<'a> {
    bytes: &'a [u8],
    is_little: bool,
}

impl Order<'_> {
    fn number(&self, at: usize, length: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        let join = |number, &byte: &u8| number << 8 | usize::from(byte);
        Some(match self.is_little {
            true => bytes.iter().rev().fold(0, join),
            false => bytes.iter().fold(0, join),
        })
    }

    /// Where the first directory says what the colours are.
    fn photometric(&self) -> Result<usize, String> {
        // The sizes of an offset, of a directory's number of entries, of an entry, and of a count in it.
        let is_big = self.number(2, 2) == Some(43);
        let (offset, count, entry, values) = if is_big { (8, 8, 20, 8) } else { (4, 2, 12, 4) };
        let directory = self.number(if is_big { 8 } else { 4 }, offset).ok_or(TRUNCATED)?;
        let entries = self.number(directory, count).ok_or(TRUNCATED)?;
        let mut found = None;
        for index in 0..entries.min(1 << 16) {
            let place = directory.saturating_add(count + index * entry);
            let Some(tag) = self.number(place, 2) else { break };
            let claimed = self.number(place + 4, values).ok_or(TRUNCATED)?;
            if tag < FIRST_PRIVATE && claimed > self.bytes.len() {
                return Err(format!(
                    "its tag {tag} claims {claimed} values, and the file has {} bytes",
                    self.bytes.len()
                ));
            }
            if tag == PHOTOMETRIC && found.is_none() {
                found = Some(place + 4 + values);
            }
        }
        found.ok_or_else(|| "it does not say what its colours are".into())
    }
}

impl Read for Raw<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let from = self.file.position() as usize;
        let count = self.file.read(out)?;
        for (at, value) in (self.at..).zip(self.value) {
            if (from..from + count).contains(&at) {
                out[at - from] = value;
            }
        }
        Ok(count)
    }
}

impl Seek for Raw<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
