//! Which columns of a file are the sentences and the score.

use crate::table::{Kind, Row};
use fmicl_core::Result;

/// The names by which columns are known, in any case.
const ONE: [&str; 5] = ["sentence1", "sentence_1", "sentence_a", "text1", "sent1"];
const TWO: [&str; 5] = ["sentence2", "sentence_2", "sentence_b", "text2", "sent2"];
const SCORE: [&str; 6] = [
    "score",
    "label",
    "similarity",
    "similarity_score",
    "relatedness_score",
    "gold",
];
const SPLIT: [&str; 1] = ["split"];

/// Columns of a row.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub sentences: [usize; 2],
    pub score: usize,
    pub split: Option<usize>,
    /// Number of fields in a row: exact, or a minimum.
    pub width: Result<usize, usize>,
}

impl Columns {
    pub fn three() -> Self {
        Columns {
            sentences: [0, 1],
            score: 2,
            split: None,
            width: Ok(3),
        }
    }
}

/// The columns that a header names; nothing where the row is none.
///
/// # Errors
/// [`Error::Data`] if the header lacks a column.
pub(super) fn header(row: &Row) -> Result<Option<Columns>> {
    let fields: Vec<_> = row.fields().map(str::to_lowercase).collect();
    let find = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| fields.iter().position(|field| field == name))
    };
    let found = [find(&ONE), find(&TWO), find(&SCORE)];
    match found {
        [Some(one), Some(two), Some(score)] => Ok(Some(Columns {
            sentences: [one, two],
            score,
            split: find(&SPLIT),
            width: Ok(row.len()),
        })),
        [None, None, _] => Ok(None),
        [Some(_), Some(_), None] => {
            let hidden = "and no scores: those of GLUE's test split are hidden, so take dev.tsv";
            Err(row.error(format!("has the columns {}, {hidden}", row.shown())))
        }
        _ => Err(row.error(unknown(row))),
    }
}

/// Columns of a file without a header.
///
/// # Errors
/// [`Error::Data`] with the first row that does not have two sentences and a score.
pub(super) fn without_header(row: &Row) -> Result<Columns> {
    let columns = match row.len() {
        3 => Columns::three(),
        7.. if row.kind() == Kind::Tabs => Columns {
            sentences: [5, 6],
            score: 4,
            split: None,
            width: Err(7),
        },
        _ => return Err(row.error(unknown(row))),
    };
    let is_number = row
        .fields()
        .nth(columns.score)
        .is_some_and(|field| field.is_empty() || field.parse::<f64>().is_ok());
    match is_number {
        true => Ok(columns),
        false => Err(row.error(unknown(row))),
    }
}

/// Required columns of a header.
fn unknown(row: &Row) -> String {
    let fields: Vec<_> = row
        .fields()
        .map(|field| field.chars().take(20).collect::<String>())
        .collect();
    format!(
        "has the columns {}; wanted is a header with {}, {} and {} (or {}), or three columns in this order",
        fields.join(", "),
        ONE[0],
        TWO[0],
        SCORE[0],
        SCORE[1..].join(", ")
    )
}
