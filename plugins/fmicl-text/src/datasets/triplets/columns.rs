//! Which columns of a file are the sentence, its positive and its hard negative.

use crate::table::{Kind, Row};
use fmicl_core::{Error, Result};
use std::path::Path;

/// The names by which columns are known, in any case, the more certain ones first.
const FIRST: [&str; 13] = [
    "sentence1",
    "sentence_1",
    "sentence_a",
    "text1",
    "sent0",
    "sent1",
    "anchor",
    "query",
    "question",
    "premise",
    "sentence",
    "text",
    "source",
];
const SECOND: [&str; 13] = [
    "sentence2",
    "sentence_2",
    "sentence_b",
    "text2",
    "sent2",
    "positive",
    "pos",
    "answer",
    "entailment",
    "hypothesis",
    "passage",
    "target",
    "sent1",
];
const THIRD: [&str; 6] = [
    "hard_neg",
    "hard_negative",
    "negative",
    "neg",
    "contradiction",
    "negative_1",
];

/// Columns of a row.
#[derive(Debug)]
pub(super) struct Columns {
    /// Two, or three with hard negatives.
    pub taken: Vec<usize>,
    /// The number of fields in a row.
    pub width: usize,
    /// Whether the first row names them.
    pub is_named: bool,
}

impl Columns {
    /// Those of a file that begins with this row. Columns with known names are those; of two or three without them, the order says which is which.
    ///
    /// # Errors
    /// [`Error::Data`] with the columns that are wanted.
    pub fn of(path: &Path, first: &Row) -> Result<Self> {
        let width = first.len();
        let (line, shown) = (first.line(), first.shown());
        if first.kind() == Kind::Names || width > 3 {
            let taken = by_name(first).ok_or_else(|| unknown(first))?;
            return Ok(Columns {
                taken,
                width,
                is_named: true,
            });
        }
        if width < 2 {
            return Err(unknown(first));
        }
        let is_named = first.kind() != Kind::Values && is_header(first);
        if is_named {
            tracing::info!("{}: line {line} is taken for a header: {shown}", path.display());
        } else if first.kind() != Kind::Values {
            tracing::warn!(
                "{}: line {line} is taken for a triplet, so the file has no header: {shown}",
                path.display()
            );
        }
        let in_order: Vec<usize> = (0..width).collect();
        // Names win over the order, such as of `id, question, answer`; but a last column of another name may be a negative.
        let named = by_name(first).filter(|taken| is_named && (taken.len() == width || !in_order.starts_with(taken)));
        Ok(Columns {
            taken: named.unwrap_or(in_order),
            width,
            is_named,
        })
    }
}

/// The columns that a header names.
fn by_name(header: &Row) -> Option<Vec<usize>> {
    let names: Vec<String> = header.fields().map(plain).collect();
    let find = |known: &[&str], but: Option<usize>| {
        let mut places = known
            .iter()
            .filter_map(|known| names.iter().position(|name| name == known));
        places.find(|place| Some(*place) != but)
    };
    let first = find(&FIRST, None)?;
    let second = find(&SECOND, Some(first))?;
    Some([first, second].into_iter().chain(find(&THIRD, None)).collect())
}

/// Returns true if the first row of two or three fields is a header.
fn is_header(row: &Row) -> bool {
    let is_name = |field: &str| {
        let name = plain(field);
        let known = FIRST.iter().chain(&SECOND).chain(&THIRD);
        known.into_iter().any(|known| *known == name)
    };
    let is_sentence =
        |field: &str| field.contains(char::is_whitespace) || field.ends_with(['.', '!', '?', '。', '！', '？']);
    row.fields().any(is_name) || !row.fields().any(is_sentence)
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace([' ', '-'], "_")
}

fn unknown(row: &Row) -> Error {
    let message = format!(
        "has the columns {}; wanted are two or three, or a header with {} (or {}), {} (or {}) and perhaps {} (or {})",
        row.shown(),
        FIRST[0],
        FIRST[4..].join(", "),
        SECOND[0],
        SECOND[5..].join(", "),
        THIRD[0],
        THIRD[1..].join(", ")
    );
    row.error(message)
}
