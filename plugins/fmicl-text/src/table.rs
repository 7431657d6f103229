//! Tables of sentences: CSV, TSV and JSON lines.

mod json_lines;
mod separator;

use crate::corpus::LONGEST_LINE;
use crate::files::{Bytes, lines_of};
use csv::{ErrorKind, Position, ReaderBuilder, StringRecord};
use fmicl_core::{Error, Result, encoding};
use std::path::Path;

/// A CSV file (RFC 4180: fields quoted with `"` where they hold their separator: commas, or semicolons or bars), one of tabs, in
/// which a quotation mark is a letter, or JSON lines, which begin with an object or an array; gzipped or not. Blank lines are skipped.
pub(crate) struct Table<'a> {
    path: &'a Path,
    bytes: Bytes,
    /// Nothing where it is of JSON lines.
    separator: Option<u8>,
}

/// A row of a table.
pub(crate) struct Row<'a> {
    path: &'a Path,
    /// Line number of its beginning, from 1.
    line: u64,
    record: StringRecord,
    kind: Kind,
}

/// How a row was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The names of the members of the objects that follow.
    Names,
    /// An object's or an array's values.
    Values,
    /// Fields between tabs.
    Tabs,
    /// Fields between commas, or what stands for them.
    Commas,
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
        let text = &bytes[bytes.text_start()..];
        let first = lines_of(text).find(|line| !line.trim_ascii().is_empty());
        let separator = match first.is_some_and(json_lines::is_json) {
            true => None,
            false => Some(separator::of(text)),
        };
        if let Some(separator @ (b';' | b'|')) = separator {
            tracing::info!(
                "{}: its fields are separated by `{}`",
                path.display(),
                separator as char
            );
        }
        Ok(Table { path, bytes, separator })
    }

    /// The rows in order.
    pub fn rows(&self) -> Box<dyn Iterator<Item = Result<Row<'a>>> + '_> {
        match self.separator {
            Some(separator) => Box::new(self.separated(separator)),
            None => Box::new(json_lines::rows(self)),
        }
    }

    fn separated(&self, separator: u8) -> impl Iterator<Item = Result<Row<'a>>> {
        let (path, bytes) = (self.path, &*self.bytes);
        let is_of_tabs = separator == b'\t';
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .quoting(!is_of_tabs)
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
            let kind = if is_of_tabs { Kind::Tabs } else { Kind::Commas };
            Ok(Row {
                path,
                line,
                record,
                kind,
            })
        })
    }
}

impl Row<'_> {
    /// How it was written.
    pub fn kind(&self) -> Kind {
        self.kind
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The rows of a file, each with its line.
    pub(crate) fn rows(text: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, text).unwrap();
        let shown = format!("{}: ", path.display());
        let table = Table::open(&path, "").unwrap();
        let row = |row: Result<Row>| {
            let row = row.map_err(|error| error.to_string().replace(&shown, ""))?;
            Ok(format!(
                "{}: {}",
                row.line(),
                row.fields().collect::<Vec<_>>().join(" | ")
            ))
        };
        table.rows().map(row).collect()
    }

    #[test]
    fn fields_are_quoted_between_commas_and_semicolons_and_not_between_tabs() {
        let rows = |text| rows(text).unwrap();
        assert_eq!(rows("a,\"b, c\"\n\nd,e\n"), ["1: a | b, c", "3: d | e"]);
        assert_eq!(rows("a;\"b; c\"\nd, f;e\n"), ["1: a | b; c", "2: d, f | e"]);
        assert_eq!(rows("a\t\"b\td\n"), ["1: a | \"b | d"]);
    }
}
