//! Negative numbers in the place of counts: the check of the options says which range they are out of.

use crate::Error;
use std::cell::RefCell;

/// The place where a reader notes what it finds.
pub(super) type Noted<'a> = &'a RefCell<Vec<Negative>>;

/// The negative numbers that were read for counts.
#[must_use]
pub struct BelowZero(pub(super) Vec<Negative>);

/// A negative number that was read as 0.
pub(super) struct Negative {
    pub key: String,
    pub found: i64,
    /// What its type can hold.
    pub range: String,
}

impl BelowZero {
    /// The errors of the check; if there are negative numbers, theirs alone, each in the words that the check has for 0.
    pub fn among(self, wrong: Vec<Error>) -> Vec<Error> {
        if self.0.is_empty() {
            return wrong;
        }
        let of_zero = |key: &str| {
            let words = |error: &Error| match error {
                Error::Config { key: at, problem } if at == key => Some(problem.at(key)),
                _ => None,
            };
            wrong.iter().find_map(words)
        };
        let error = |Negative { key, found, range }: Negative| {
            let words = of_zero(&key).and_then(|words| Some(format!("{found} {}", words.strip_prefix("0 ")?)));
            Error::config(words.unwrap_or_else(|| format!("expected {range}, found the number {found}"))).at(&key)
        };
        self.0.into_iter().map(error).collect()
    }
}
