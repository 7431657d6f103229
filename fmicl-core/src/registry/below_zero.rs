//! Negative numbers given for unsigned options, which are reported with the range that validation gives for 0.

use crate::Error;
use std::cell::RefCell;

/// List to which a reader adds the negative numbers that it replaced by 0.
pub(super) type Noted<'a> = &'a RefCell<Vec<Negative>>;

/// Negative numbers that were given for unsigned options.
#[must_use]
pub struct BelowZero(pub(super) Vec<Negative>);

/// A negative number that was read as 0.
pub(super) struct Negative {
    pub key: String,
    pub found: i64,
    /// Range of the option's type, in words.
    pub range: String,
}

impl BelowZero {
    /// Returns the errors to report, given those of validation: `wrong` itself if no number was negative, else one error for
    /// each negative number. Its text is that of the error for 0 at the same key, if there is one, with the number given.
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
