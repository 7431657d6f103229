//! Sentences of a text file, read where they lie.

mod format;
mod member;
mod offsets;

pub use format::Format;
pub(crate) use offsets::Offsets;

use crate::files::Bytes;
use fmicl_core::{Error, Portion, Result, encoding};
use std::path::{Path, PathBuf};

/// Maximum bytes of a line; a longer one means that the file has no lines.
pub(crate) const LONGEST_LINE: usize = 1 << 20;

/// The sentences of a file, of which an index is held alone: four bytes a sentence.
pub(crate) struct Corpus {
    path: PathBuf,
    bytes: Bytes,
    format: Format,
    column: String,
    /// Offsets of the sentences; `format` gives their ends.
    starts: Offsets,
    /// Lines without a sentence.
    empty: u64,
}

impl Corpus {
    /// Opens a file and reads all of it once. `column` is the member of an object that has the sentence; see [`Format::Jsonl`].
    ///
    /// Empty lines (of white space alone) are counted and skipped; CRLF, a byte order mark at the start and a last line
    /// without an end are as usual.
    ///
    /// # Errors
    /// [`Error::Data`] if the file is missing, has no sentence, or has a line that is not UTF-8 or longer than 1 MiB
    /// (with its number); [`Error::Io`] where it cannot be read.
    pub fn open(path: &Path, format: Format, column: &str, hint: &str) -> Result<Self> {
        let bytes = Bytes::open(path, hint)?;
        let (mut starts, mut empty) = (Offsets::default(), 0);
        let mut start = bytes.text_start();
        for number in 1.. {
            let rest = &bytes[start..];
            if rest.is_empty() {
                break;
            }
            let line = line_of(rest);
            if line.len() > LONGEST_LINE {
                let message = format!(
                    "line {number} has {} bytes; a line has at most {LONGEST_LINE}",
                    line.len()
                );
                return Err(Error::data(path, message));
            }
            let text = encoding::text(line, path, number, &bytes)?;
            let before = starts.len();
            if format == Format::Jsonl {
                if !text.trim().is_empty() {
                    let sentence = member::sentence(text, column);
                    let sentence = sentence.map_err(|message| Error::data(path, format!("line {number} {message}")))?;
                    if !sentence.trim().is_empty() {
                        starts.push(start as u64);
                    }
                }
            } else if !format.is_heading(text) {
                let mut at = 0;
                while at < text.len() {
                    let length = format.first(&text[at..]);
                    if format.is_sentence(&text[at..at + length]) {
                        starts.push((start + at) as u64);
                    }
                    at += length;
                }
            }
            empty += u64::from(starts.len() == before);
            // A line that the file's end ends has no line feed.
            start = (start + line.len() + 1).min(bytes.len());
        }
        if starts.len() == 0 {
            let message = match empty {
                0 => "is empty; one sentence per line is expected".to_string(),
                lines => format!("has no sentence in its {lines} lines"),
            };
            return Err(Error::data(path, message));
        }
        starts.shrink();
        Ok(Corpus {
            path: path.into(),
            bytes,
            format,
            column: column.into(),
            starts,
            empty,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Number of lines without a sentence.
    pub fn empty(&self) -> u64 {
        self.empty
    }

    /// Fingerprint of the positions of the sentences and the number of bytes; reading all text again could take as long
    /// as opening it.
    ///
    /// It is called by the file's name, with `number` before it where there are several files, which may be of one name.
    pub fn portion(&self, number: Option<usize>) -> Portion {
        let starts = (0..self.len()).map(|index| self.starts.get(index));
        let content = starts.chain([self.bytes.len() as u64]).map(u64::to_le_bytes);
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let name = number.map_or_else(|| name.to_string(), |number| format!("{number}:{name}"));
        Portion::new(name, self.len(), content)
    }

    /// The sentence at `index`, below `len()`.
    ///
    /// # Errors
    /// [`Error::Data`] where the file has changed so that there is none.
    pub fn get(&self, index: usize) -> Result<String> {
        let line = line_of(&self.bytes[self.starts.get(index) as usize..]);
        // Copied before it is checked: in a mapped file that somebody changes, only a copy stays what was checked.
        let text = String::from_utf8(line.to_vec()).ok().filter(|text| !text.is_empty());
        let changed = || Error::data(&self.path, "has changed since it was opened; start again");
        let text = text.ok_or_else(changed)?;
        if self.format == Format::Jsonl {
            let sentence = member::sentence(&text, &self.column).map_err(|_| changed())?;
            return Ok(sentence.trim().into());
        }
        Ok(self.format.clean(&text[..self.format.first(&text)]).into_owned())
    }
}

/// Text before the next line feed, or all of it.
fn line_of(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr::memchr(b'\n', bytes).unwrap_or(bytes.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::gzip;

    fn open(bytes: impl AsRef<[u8]>, format: Format) -> Result<Corpus, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, bytes).unwrap();
        let shown = format!("{}: ", path.display());
        Corpus::open(&path, format, "", "").map_err(|error| error.to_string().replace(&shown, ""))
    }

    fn sentences(corpus: &Corpus) -> Vec<String> {
        (0..corpus.len()).map(|index| corpus.get(index).unwrap()).collect()
    }

    #[test]
    fn a_line_is_a_sentence_and_empty_ones_are_counted() {
        let text = "\u{feff}One  sentence.\r\n\r\n \t \nTwo, é and 漢.\n\nThree";
        for bytes in [text.as_bytes().to_vec(), gzip(text.as_bytes())] {
            let corpus = open(bytes, Format::Lines).unwrap();
            assert_eq!(sentences(&corpus), ["One  sentence.", "Two, é and 漢.", "Three"]);
            assert_eq!(corpus.empty(), 3);
        }
    }

    #[test]
    fn a_line_of_json_has_a_sentence() {
        let text = "{\"id\": 1, \"text\": \" One. \"}\r\n\n{\"text\": \" \"}\n\"Two.\"\n";
        let corpus = open(text, Format::Jsonl).unwrap();
        assert_eq!(
            (sentences(&corpus), corpus.empty()),
            (vec!["One.".into(), "Two.".to_string()], 2)
        );
        let error = open("{\"text\": \"a\"}\n{\"texts\": \"b\"}\n", Format::Jsonl)
            .err()
            .unwrap();
        assert_eq!(
            error,
            "line 2 has no `text` or `sentence`; `column` should name one of texts"
        );
    }

    #[test]
    fn sentences_of_wikitext_lie_within_lines() {
        let corpus = open(" \n = Title = \n A b . C @-@ d ? \n \n E . \n", Format::Wikitext).unwrap();
        assert_eq!(sentences(&corpus), ["A b .", "C-d ?", "E ."]);
        assert_eq!(corpus.empty(), 3);
    }

    #[test]
    fn a_long_line_is_kept_and_an_endless_one_is_refused() {
        let long = "word ".repeat(20_000);
        let corpus = open(format!("a\n{long}\nb"), Format::Lines).unwrap();
        assert_eq!((corpus.len(), corpus.get(1).unwrap().len()), (3, 99_999));
        let endless = "x".repeat(LONGEST_LINE + 1);
        let error = open(format!("a\n{endless}"), Format::Lines).err().unwrap();
        assert_eq!(error, "line 2 has 1048577 bytes; a line has at most 1048576");
    }

    #[test]
    fn what_is_no_text_is_an_error_with_its_line() {
        let error = |bytes: &[u8]| open(bytes, Format::Lines).err().unwrap();
        assert_eq!(
            error(b"good\n\ncaf\xe9\n"),
            "line 3 is not UTF-8; convert the file, such as with `iconv -f latin1 -t utf-8`"
        );
        assert_eq!(
            error(b"good\nb\0d, and more of the same, and more of the same, and more of the same, and more of the same, too\n"),
            "line 2 has a NUL character; `tr -d '\\0'` removes them"
        );
        assert_eq!(
            error(b"o\0n\0e\0\n\0t\0w\0o\0\n\0"),
            "line 1 is not UTF-8, and looks like UTF-16LE without a byte-order mark; convert the file: `iconv -f utf-16le -t utf-8`"
        );
        assert_eq!(error(b""), "is empty; one sentence per line is expected");
        assert_eq!(error(b"\xef\xbb\xbf"), "is empty; one sentence per line is expected");
        assert_eq!(error(b" \n\n"), "has no sentence in its 2 lines");
    }

    #[test]
    fn a_file_that_was_overwritten_is_an_error_for_the_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let corpus = Corpus::open(&path, Format::Lines, "", "").unwrap();
        // As long as before: a shorter one would end the process.
        std::fs::write(&path, b"one\n\xff\xff\xff\n").unwrap();
        assert_eq!(corpus.get(0).unwrap(), "one");
        let error = corpus.get(1).unwrap_err().to_string();
        assert!(error.contains("has changed since it was opened"), "{error}");
    }
}
