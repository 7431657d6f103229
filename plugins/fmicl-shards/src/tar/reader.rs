//! Reads a file here and there, with few calls of the system: a little around each header, and much where the entries are small.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

/// What is read at another place: a header, a small file behind it, and the next header.
const LITTLE: usize = 4 << 10;
/// What is read where the last piece ended.
const MUCH: usize = 64 << 10;

/// A file that is read through a reference.
pub(crate) struct Reader {
    file: File,
    at: Cell<u64>,
    buffer: RefCell<Buffer>,
    ended: Cell<bool>,
}

/// A piece of the file.
struct Buffer {
    start: u64,
    bytes: Vec<u8>,
}

impl Reader {
    pub fn new(file: File) -> Self {
        // Without this a disk reads ahead of each header what nobody asks for. Where it is not heeded, it is only slower.
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::Random);
        let buffer = Buffer {
            start: 0,
            bytes: Vec::with_capacity(MUCH),
        };
        Reader {
            file,
            at: Cell::new(0),
            buffer: RefCell::new(buffer),
            ended: Cell::new(false),
        }
    }

    /// Where the next byte is read.
    pub fn position(&self) -> u64 {
        self.at.get()
    }

    /// Returns true if a read met the end of the file.
    pub fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// The first bytes of the file.
    pub fn start(&self) -> io::Result<Vec<u8>> {
        self.piece(0, 512)
    }

    /// Returns true if there is nothing but zeros from the position to the end, however many they are.
    pub fn rest_is_zeros(&self) -> io::Result<bool> {
        let mut at = self.position();
        loop {
            let bytes = self.piece(at, MUCH)?;
            if bytes.is_empty() {
                return Ok(true);
            }
            if bytes.iter().any(|&byte| byte != 0) {
                return Ok(false);
            }
            at += bytes.len() as u64;
        }
    }

    /// At most `most` bytes at an offset.
    fn piece(&self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; most];
        let mut length = 0;
        while length < most {
            match self.file.read_at(&mut bytes[length..], offset + length as u64) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}

impl Read for &Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut buffer = self.buffer.borrow_mut();
        let (at, end) = (self.at.get(), buffer.start + buffer.bytes.len() as u64);
        if !(buffer.start..end).contains(&at) {
            let size = if at == end { MUCH } else { LITTLE };
            buffer.start = at;
            buffer.bytes.resize(size, 0);
            let read = self.file.read_at(&mut buffer.bytes, at);
            buffer.bytes.truncate(*read.as_ref().unwrap_or(&0));
            read?;
        }
        let there = &buffer.bytes[(at - buffer.start) as usize..];
        let count = there.len().min(out.len());
        out[..count].copy_from_slice(&there[..count]);
        self.ended.set(count == 0 && !out.is_empty());
        self.at.set(at + count as u64);
        Ok(count)
    }
}

impl Seek for &Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.get().checked_add_signed(by),
            SeekFrom::End(_) => None,
        };
        let at = at.ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
        self.at.set(at);
        Ok(at)
    }
}
