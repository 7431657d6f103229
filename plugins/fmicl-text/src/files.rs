//! The bytes of a file: mapped where they are plain, unpacked where they are gzipped.

use flate2::read::MultiGzDecoder;
use fmicl_core::{Error, Result, encoding, not_a_pointer, open_file};
use memmap2::Mmap;
use std::io::Read;
use std::ops::Deref;
use std::path::Path;

/// A file's bytes, in memory once at most.
pub(crate) enum Bytes {
    /// The system's own pages of a plain file.
    Mapped(Mmap),
    /// Limit of an unpacked gzip file.
    Unpacked(Vec<u8>),
}

/// Magic bytes of a gzip stream.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The most bytes that a gzipped file may unpack to: they are held in memory, and a small file can claim any number.
const MOST_UNPACKED: u64 = 4 << 30;

impl Bytes {
    /// Opens `path`, gzipped or not (decided by its content); `hint` ends the error message if there is no such file.
    ///
    /// A plain file must not be modified while it is open: overwritten bytes are read in their new form, and truncation
    /// kills the process (SIGBUS).
    ///
    /// # Errors
    /// [`Error::Data`] if there is no file, its gzip stream is damaged, it unpacks to more than 4 GiB, or it is in
    /// another encoding by its byte-order mark; [`Error::Io`] where it cannot be read.
    pub fn open(path: &Path, hint: &str) -> Result<Self> {
        let io = |error| Error::io(path, error);
        let file = open_file(path, hint)?;
        // SAFETY: the memory is read alone and lives as long as the map. That nobody changes or cuts off the file
        // meanwhile is the user's part, said above and in docs/LANGUAGE.md; where it is broken, changed bytes are read as
        // bytes (text is copied out before it is checked, see `Corpus::get`), and a cut ends the process.
        let mapped = unsafe { Mmap::map(&file) }.map_err(io)?;
        if !mapped.starts_with(&GZIP) {
            return Bytes::Mapped(mapped).of_text(path);
        }
        let mut unpacked = Vec::new();
        let read = MultiGzDecoder::new(&*mapped)
            .take(MOST_UNPACKED + 1)
            .read_to_end(&mut unpacked);
        read.map_err(|error| {
            let message = format!("the gzip stream is broken or truncated ({error}); fetch the file again");
            Error::data(path, message)
        })?;
        if unpacked.len() as u64 > MOST_UNPACKED {
            let message = format!(
                "unpacks to more than {MOST_UNPACKED} bytes; unpack it beforehand: a plain file takes no memory"
            );
            return Err(Error::data(path, message));
        }
        unpacked.shrink_to_fit();
        Bytes::Unpacked(unpacked).of_text(path)
    }

    /// Checks that the bytes do not begin like another format or encoding.
    fn of_text(self, path: &Path) -> Result<Self> {
        not_a_pointer(path, &self)?;
        encoding::require_no_other_mark(&self, path)?;
        Ok(self)
    }

    /// Length of the byte order mark.
    pub fn text_start(&self) -> usize {
        match self.starts_with(encoding::MARK) {
            true => encoding::MARK.len(),
            false => 0,
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Unpacked(bytes) => bytes,
        }
    }
}

/// The lines of a text, without their line feeds.
pub(crate) fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

/// The lines of a text, with their numbers from 1, without what ends them.
///
/// # Errors
/// [`Error::Data`] with the number of the first line that is not UTF-8.
pub(crate) fn lines(bytes: &Bytes, path: &Path) -> Result<Vec<(u64, String)>> {
    let text = &bytes[bytes.text_start()..];
    let mut lines: Vec<&[u8]> = lines_of(text).collect();
    lines.pop_if(|last| last.is_empty());
    let numbered = (1..).zip(lines);
    let read = numbered.map(|(number, line)| {
        let line = encoding::text(line, path, number, bytes)?;
        Ok((number, line.strip_suffix('\r').unwrap_or(line).to_string()))
    });
    read.collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_told_by_content_and_may_have_several_members() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, [gzip(b"one\n"), gzip(b"two")].concat()).unwrap();
        let bytes = Bytes::open(&path, "").unwrap();
        assert!(matches!(bytes, Bytes::Unpacked(_)));
        assert_eq!(*bytes, *b"one\ntwo");
    }

    #[test]
    fn what_cannot_be_opened_is_named_with_what_would_work() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| Bytes::open(path, "set `path`").err().unwrap().to_string();
        let missing = folder.path().join("missing");
        let expected = format!("{}: there is no such file; set `path`", missing.display());
        assert_eq!(error(&missing), expected);
        assert!(error(folder.path()).ends_with(": is a folder; set `path`"));
        let cut = folder.path().join("cut.gz");
        std::fs::write(&cut, &gzip(b"some sentences")[..20]).unwrap();
        assert!(error(&cut).contains("the gzip stream is broken or truncated"));
        let utf16 = folder.path().join("utf-16");
        for bytes in [b"\xff\xfea\0\n\0".to_vec(), gzip(b"\xfe\xff\0a\0\n")] {
            std::fs::write(&utf16, bytes).unwrap();
            let expected = "is UTF-16, by its byte-order mark, not UTF-8; convert the file: `iconv -f utf-16 -t utf-8`";
            assert!(error(&utf16).ends_with(expected), "{}", error(&utf16));
        }
    }

    #[test]
    fn lines_end_as_on_any_system() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, "\u{feff}a\r\n\nb\n").unwrap();
        let found = lines(&Bytes::open(&path, "").unwrap(), &path).unwrap();
        assert_eq!(found, [(1, "a".into()), (2, "".into()), (3, "b".to_string())]);
        std::fs::write(&path, b"a\n\xff").unwrap();
        let error = lines(&Bytes::open(&path, "").unwrap(), &path).unwrap_err().to_string();
        assert!(error.contains("line 2 is not UTF-8"), "{error}");
    }
}
