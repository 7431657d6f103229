//! CSV and TSV files of sentences.

use crate::corpus::LONGEST_LINE;
use crate::encoding;
use crate::files::Bytes;
use csv::{ErrorKind, Position, ReaderBuilder, StringRecord};
use fmicl_core::{Error, Result};
use std::path::Path;

/// A CSV file (RFC 4180: commas, fields quoted with `"` where they hold one), or one of tabs, in which a quotation mark
/// is a letter; gzipped or not. Blank lines are skipped.
pub(crate) struct Table<'a> {
    path: &'a Path,
    bytes: Bytes,
    of_tabs: bool,
}

/// A row of a table.
pub(crate) struct Row<'a> {
    path: &'a Path,
    /// Line number of its beginning, from 1.
    line: u64,
    record: StringRecord,
    of_tabs: bool,
}

impl<'a> Table<'a> {
    /// Opens a file; `hint` is what would work where there is none.
    ///
    /// # Errors
    /// As [`Bytes::open`].
    pub fn open(path: &'a Path, hint: &str) -> Result<Self> {
        let bytes = Bytes::open(path, hint)?;
        if let Some(nul) = memchr::memchr(0, &bytes) {
            let line = 1 + memchr::memchr_iter(b'\n', &bytes[..nul]).count() as u64;
            return Err(encoding::no_text(path, line, &bytes, true));
        }
        let first = bytes
            .split(|byte| *byte == b'\n')
            .find(|line| !line.trim_ascii().is_empty());
        let first = first.unwrap_or_default();
        let count = |separator| memchr::memchr_iter(separator, first).count();
        // A sentence may hold commas, and seldom a tab.
        let of_tabs = count(b'\t') > 1 || (count(b'\t') == 1 && count(b',') == 0);
        Ok(Table { path, bytes, of_tabs })
    }

    /// The rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Result<Row<'a>>> {
        let (path, bytes, of_tabs) = (self.path, &*self.bytes, self.of_tabs);
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(if of_tabs { b'\t' } else { b',' })
            .quoting(!of_tabs)
            .from_reader(bytes);
        // A position is where the record before ends: blank lines may follow.
        let line_at = move |position: Option<&Position>| {
            let (before, start) = position.map_or((1, 0), |it| (it.line(), it.byte() as usize));
            let rest = bytes.get(start..).unwrap_or_default().iter();
            let blank = rest
                .take_while(|byte| b"\r\n".contains(byte))
                .filter(|&&byte| byte == b'\n');
            before + blank.count() as u64
        };
        reader.into_records().map(move |record| {
            let record = record.map_err(|error| match error.into_kind() {
                ErrorKind::Utf8 { pos, .. } => encoding::no_text(path, line_at(pos.as_ref()), bytes, false),
                // Nothing else goes wrong with bytes in memory.
                kind => Error::data(path, format!("{kind:?}")),
            })?;
            let line = line_at(record.position());
            Ok(Row {
                path,
                line,
                record,
                of_tabs,
            })
        })
    }
}

impl Row<'_> {
    /// `true` if its fields are separated by tabs.
    pub fn is_of_tabs(&self) -> bool {
        self.of_tabs
    }

    /// The line where it begins, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The fields in a few words, for a message.
    pub fn shown(&self) -> String {
        self.fields().map(shortened).collect::<Vec<_>>().join(", ")
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.record.len()
    }

    /// The fields, without white space around them.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.record.iter().map(str::trim)
    }

    /// The sentence in a field.
    ///
    /// # Errors
    /// [`Error::Data`] where it is missing, empty, or so long that a quotation mark must be missing.
    pub fn sentence(&self, field: usize) -> Result<&str> {
        let text = self.record.get(field).unwrap_or_default().trim();
        if text.is_empty() {
            return Err(self.error(format!("column {} has no sentence", field + 1)));
        }
        if text.len() > LONGEST_LINE {
            let message = "a field of more than 1 MiB: is the quotation mark missing that ends it?";
            return Err(self.error(message));
        }
        Ok(text)
    }

    /// The score in a field, from 0 to 5.
    ///
    /// # Errors
    /// [`Error::Data`] where it is missing, no number, or out of range.
    pub fn score(&self, field: usize) -> Result<f64> {
        score(self.record.get(field).unwrap_or_default()).map_err(|message| self.error(message))
    }

    /// Error with the row's line.
    pub fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::data(self.path, format!("line {}: {message}", self.line))
    }
}

/// Human similarity score of two sentences, from 0 to 5.
///
/// # Errors
/// A message if the text is not a number from 0 to 5.
pub(crate) fn score(text: &str) -> Result<f64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the score is missing".into());
    }
    let number = text.parse().ok().filter(|number| (0.0..=5.0).contains(number));
    number.ok_or_else(|| {
        format!(
            "the score `{}` is not a number from 0 to 5 (or, in all rows, from 0 to 1)",
            shortened(text)
        )
    })
}

/// The start of what may be anything, for a message in one line.
fn shortened(text: &str) -> String {
    let start: String = text
        .chars()
        .take(40)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if start.len() < text.len() { start + "..." } else { start }
}
