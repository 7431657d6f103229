//! The rows of a list, in each of its formats.

mod json;
mod table;

use super::{LABEL, PATH, Part, SPLIT, WEIGHT};
use crate::datasets::files::read_at_most;
use fmicl_core::{Error, Result, encoding};
use std::fmt::Display;
use std::path::Path;

/// The names of the columns; empty for one that is not read.
pub struct Columns<'a> {
    pub path: &'a str,
    pub label: &'a str,
    pub split: &'a str,
    pub weight: &'a str,
}

impl<'a> Columns<'a> {
    /// Each with its option and that one's default.
    fn all(&self) -> [(&'a str, &'static str, &'static str); 4] {
        [
            (self.path, "path", PATH),
            (self.label, "label", LABEL),
            (self.split, "split", SPLIT),
            (self.weight, "weight", WEIGHT),
        ]
    }
}

/// A row of a list.
pub struct Row {
    /// From 1.
    pub line: u64,
    pub path: String,
    pub label: Option<String>,
    /// Nothing where the list has no splits.
    pub part: Option<Part>,
    /// Nothing where the list has no weights.
    pub weight: Option<f64>,
}

/// The fields of a row; one that is not there is nothing.
pub(super) struct Fields<'a> {
    pub path: Option<&'a str>,
    pub label: Option<&'a str>,
    pub split: Option<&'a str>,
    pub weight: Option<&'a str>,
}

/// A list of ten million files has less.
const MOST: u64 = 2 << 30;

/// Calls `add` for each row of a file, and returns notes on it: the columns that are not read, a separator that is not expected.
///
/// # Errors
/// A file that is missing or of an unknown format, and with its line a row that is not as it should be; those of `add`.
pub fn each<F: FnMut(Row) -> Result<()>>(path: &Path, columns: &Columns, add: F) -> Result<Vec<String>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let read: fn(&mut Reader<F>, &str) -> Result<Vec<String>> = match name
        .trim_end_matches(".gz")
        .rsplit_once('.')
        .map(|(_, extension)| extension)
    {
        Some("csv") => table::commas,
        Some("tsv" | "tab") => table::tabs,
        Some("jsonl" | "ndjson") => json::lines,
        _ => {
            let message = format!("{}: ends in none of .csv, .tsv and .jsonl", path.display());
            return Err(Error::config(message).at("file"));
        }
    };
    let bytes = read_at_most(path, MOST, "`file` names a list of photos")?;
    if bytes.len() as u64 > MOST {
        return Err(Error::data(path, format!("has more than {MOST} bytes")));
    }
    let mut reader = Reader { path, columns, add };
    read(&mut reader, encoding::whole(&bytes, path)?)
}

/// An error about a line.
pub fn wrong(path: &Path, line: u64, what: impl Display) -> Error {
    Error::data(path, format!("line {line}: {what}"))
}

struct Reader<'a, F> {
    path: &'a Path,
    columns: &'a Columns<'a>,
    add: F,
}

impl<F: FnMut(Row) -> Result<()>> Reader<'_, F> {
    fn wrong(&self, line: u64, what: impl Display) -> Error {
        wrong(self.path, line, what)
    }

    /// Takes a row.
    fn add(&mut self, line: u64, fields: &Fields) -> Result<()> {
        let given = |field: Option<&str>| field.map(str::trim).filter(|field| !field.is_empty()).map(String::from);
        let Some(path) = given(fields.path) else {
            return Err(self.wrong(line, format_args!("has no `{}`", self.columns.path)));
        };
        if path.contains('\0') {
            return Err(self.wrong(line, "its path has a NUL in it"));
        }
        let known = |name: &str| {
            part(name.trim()).ok_or_else(|| {
                let name = name.trim().escape_debug();
                self.wrong(line, format_args!("the split `{name}` is none of train, val and test"))
            })
        };
        let part = fields.split.map(known).transpose()?;
        let label = given(fields.label);
        let weight = given(fields.weight).map(|text| self.weight(line, &text)).transpose()?;
        (self.add)(Row {
            line,
            path,
            label,
            part,
            weight,
        })
    }

    fn weight(&self, line: u64, text: &str) -> Result<f64> {
        let weight: Option<f64> = text.parse().ok();
        weight
            .filter(|weight| weight.is_finite() && *weight >= 0.0)
            .ok_or_else(|| {
                let (column, text) = (self.columns.weight, text.escape_debug());
                self.wrong(
                    line,
                    format_args!("its `{column}` is `{text}`, and not a number from 0"),
                )
            })
    }

    /// Checks the names of columns, of the row at `line`.
    ///
    /// # Errors
    /// One is missing that was asked for.
    fn check(&self, line: u64, found: &[&str]) -> Result<()> {
        for (column, option, _) in self.columns.all() {
            let several = format!("{column}s");
            let is_other = |name: &&&str| {
                name.eq_ignore_ascii_case(column) || !column.is_empty() && name.eq_ignore_ascii_case(&several)
            };
            if let Some(other) = found.iter().find(is_other).filter(|_| !found.contains(&column)) {
                let what =
                    format!("has a column `{other}` and no `{column}`; rename it, or set `{option} = \"{other}\"`");
                return Err(self.wrong(line, what));
            }
        }
        for (column, option, default) in self.columns.all() {
            let is_asked_for = option == "path" || column != default && !column.is_empty();
            if is_asked_for && !found.contains(&column) {
                let found = found.join(", ").escape_debug().to_string();
                let what = format!(
                    "has the columns {found}, and no `{column}`; the option `{option}` names the one that is meant"
                );
                return Err(self.wrong(line, what));
            }
        }
        Ok(())
    }

    /// A note on the columns that are not read, if there are any.
    fn unread(&self, found: &[&str]) -> Option<String> {
        let read = self.columns.all().map(|(column, ..)| column);
        let unread = found.iter().filter(|name| !read.contains(name));
        let unread: Vec<_> = unread.map(|name| name.escape_debug().to_string()).collect();
        (!unread.is_empty()).then(|| format!("columns that are not read: {}", unread.join(", ")))
    }
}

fn part(name: &str) -> Option<Part> {
    match &*name.to_lowercase() {
        "train" | "training" => Some(Part::Train),
        "val" | "valid" | "validation" | "dev" => Some(Part::Val),
        "test" | "testing" => Some(Part::Test),
        _ => None,
    }
}
