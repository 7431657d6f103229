//! `--where KEY=VALUE` and `--sort KEY`.

use crate::keys::Keys;
use crate::row::{Field, Row};
use fmicl_core::{Error, Result, registry};
use fmicl_runner::run::State;
use std::cmp::Ordering;

/// Whether a value that compares so with the wanted one passes.
type Holds = fn(Ordering) -> bool;

/// Signs of comparison; one that another begins with comes behind it.
const SIGNS: [(&str, Holds); 6] = [
    ("!=", |order| order != Ordering::Equal),
    (">=", |order| order != Ordering::Less),
    ("<=", |order| order != Ordering::Greater),
    ("=", |order| order == Ordering::Equal),
    (">", |order| order == Ordering::Greater),
    ("<", |order| order == Ordering::Less),
];

/// A condition on runs.
pub struct Condition {
    key: String,
    sign: &'static str,
    holds: Holds,
    value: String,
}

impl Condition {
    /// Reads `KEY=VALUE`, or with another sign.
    ///
    /// # Errors
    /// A config error: no sign, a key that no run has, a state that there is not, or a number to which no number is compared.
    pub fn read(text: &str, keys: &Keys, rows: &[Row]) -> Result<Self> {
        let option = format!("--where {text}");
        let wrong = |why: String| Error::config(format!("{option}: {why}"));
        let found = text.char_indices().find_map(|(at, _)| {
            let sign = SIGNS.iter().find(|(sign, _)| text[at..].starts_with(sign));
            sign.map(|sign| (at, *sign))
        });
        let Some((at, (sign, holds))) = found else {
            let signs = SIGNS.map(|(sign, _)| sign).join(" ");
            return Err(wrong(format!(
                "is no condition: write KEY=VALUE, with one of the signs {signs}"
            )));
        };
        let key = keys.find(&option, text[..at].trim())?;
        let value = text[at + sign.len()..].trim().to_string();
        let states = State::ALL.map(State::name);
        if key == "state" && !states.contains(&&*value) {
            let hint = registry::did_you_mean(&value, &states);
            return Err(wrong(format!(
                "no state is named `{value}`{hint}; there are {}",
                states.join(", ")
            )));
        }
        let is_number = |row: &Row| matches!(keys.field(row, &key), Some(Field::Number(_)));
        if !["=", "!="].contains(&sign) && value.parse::<f64>().is_err() && rows.iter().any(is_number) {
            return Err(wrong(format!("`{key}` is a number, and `{value}` is none")));
        }
        Ok(Condition {
            key,
            sign,
            holds,
            value,
        })
    }

    /// The key that it is on.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it holds for a run. One that has not got the key fulfils nothing but `!=`.
    pub fn holds(&self, keys: &Keys, row: &Row) -> bool {
        let Some(field) = keys.field(row, &self.key) else {
            return self.sign == "!=";
        };
        let order = match (&field, self.value.parse::<f64>()) {
            (Field::Number(number), Ok(value)) => number.partial_cmp(&value),
            (Field::Number(number), Err(_)) => Some(number.to_string().cmp(&self.value)),
            (Field::Text(text), _) => Some(text.as_str().cmp(&self.value)),
        };
        order.is_some_and(self.holds)
    }
}

/// Order of runs by a key; `-` before it turns it round.
pub struct Order {
    key: String,
    descends: bool,
}

impl Order {
    /// Reads `KEY` or `-KEY`.
    ///
    /// # Errors
    /// A config error, where no run has the key.
    pub fn read(text: &str, keys: &Keys) -> Result<Self> {
        let key = text.strip_prefix('-');
        Ok(Order {
            key: keys.find(&format!("--sort {text}"), key.unwrap_or(text))?,
            descends: key.is_some(),
        })
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Compares the values of two runs; one that has none comes last, whichever way.
    pub fn of(&self, one: Option<&Field>, other: Option<&Field>) -> Ordering {
        match (one, other) {
            (Some(one), Some(other)) if self.descends => other.order(one),
            (Some(one), Some(other)) => one.order(other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        }
    }
}
