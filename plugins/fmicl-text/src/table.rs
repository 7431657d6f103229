//! CSV files of sentences.

use crate::corpus::LONGEST_LINE;
use crate::files::{Bytes, not_utf8};
use csv::{ErrorKind, Position, ReaderBuilder, StringRecord};
use fmicl_core::{Error, Result};
use std::path::Path;

/// A CSV file (RFC 4180: commas, fields quoted with `"` where they hold one), gzipped or not. Blank lines are no rows.
pub(crate) struct Table<'a> {
    path: &'a Path,
    bytes: Bytes,
}

/// A row of a table.
pub(crate) struct Row<'a> {
    path: &'a Path,
    /// Where it begins, from 1.
    line: u64,
    record: StringRecord,
}

impl<'a> Table<'a> {
    /// Opens a file; `hint` is what would work where there is none.
    ///
    /// # Errors
    /// As [`Bytes::open`].
    pub fn open(path: &'a Path, hint: &str) -> Result<Self> {
        let bytes = Bytes::open(path, hint)?;
        Ok(Table { path, bytes })
    }

    /// The rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Result<Row<'a>>> {
        let (path, bytes) = (self.path, &*self.bytes);
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
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
                ErrorKind::Utf8 { pos, .. } => not_utf8(path, line_at(pos.as_ref())),
                // Nothing else goes wrong with bytes in memory.
                kind => Error::data(path, format!("{kind:?}")),
            })?;
            let line = line_at(record.position());
            Ok(Row { path, line, record })
        })
    }
}

impl Row<'_> {
    /// How many fields it has.
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

    /// What is wrong with the row.
    pub fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::data(self.path, format!("line {}: {message}", self.line))
    }
}

/// How alike people found two sentences, from 0 to 5.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn score(text: &str) -> Result<f64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the score is missing".into());
    }
    let number = text.parse().ok().filter(|number| (0.0..=5.0).contains(number));
    number.ok_or_else(|| format!("the score `{}` is no number from 0 to 5", shortened(text)))
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
