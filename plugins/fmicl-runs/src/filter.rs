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

/// Values that a sentence names.
const MOST_SHOWN: usize = 8;

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
        let (given, value) = (text[..at].trim(), text[at + sign.len()..].trim().to_string());
        if let Some(more) = value.chars().next().filter(|letter| "=<>!".contains(*letter)) {
            let signs = SIGNS.map(|(sign, _)| sign).join(" ");
            let value = value.trim_start_matches(['=', '<', '>', '!']).trim_start();
            return Err(wrong(format!(
                "there is no sign `{sign}{more}`: write {given}={value}, or one of the signs {signs}"
            )));
        }
        let key = keys.find(&option, given)?;
        let states = State::ALL.map(State::name);
        if key == "state" && !states.contains(&&*value) {
            let hint = registry::did_you_mean(&value, &states);
            return Err(wrong(format!(
                "no state is named `{value}`{hint}; there are {}",
                states.join(", ")
            )));
        }
        let there: Vec<Field> = rows.iter().filter_map(|row| keys.field(row, &key)).collect();
        let all = |is: fn(&Field) -> bool| !there.is_empty() && there.iter().all(is);
        let is_number = |field: &Field| field.number().is_some();
        let is_order = !["=", "!="].contains(&sign);
        let wants_number = if is_order {
            there.iter().any(is_number)
        } else {
            all(is_number)
        };
        if wants_number && value.parse::<f64>().is_err() {
            return Err(wrong(format!("`{key}` is a number, and `{value}` is none")));
        }
        if all(|field| matches!(field, Field::Bool(_))) && !["true", "false"].contains(&&*value) {
            return Err(wrong(format!("`{key}` is true or false, and `{value}` is neither")));
        }
        Ok(Condition {
            key,
            sign,
            holds,
            value,
        })
    }

    /// What the runs have instead of the value, in a sentence, where no run has it.
    pub fn unmet(&self, keys: &Keys, rows: &[Row]) -> Option<String> {
        if rows.iter().any(|row| self.holds(keys, row)) {
            return None;
        }
        let mut there: Vec<Field> = rows.iter().filter_map(|row| keys.field(row, &self.key)).collect();
        there.sort_by(Field::order);
        there.dedup();
        let texts: Vec<String> = there.iter().map(Field::text).collect();
        let known: Vec<&str> = texts.iter().map(String::as_str).collect();
        let hint = match there.iter().any(|field| field.number().is_some()) {
            true => String::new(),
            false => registry::did_you_mean(&self.value, &known),
        };
        let shown = match &known[..] {
            [] => "no value".into(),
            _ if known.len() <= MOST_SHOWN => known.join(", "),
            [first, .., last] => format!("{first} to {last}"),
            [_] => String::new(),
        };
        let Condition { key, sign, value, .. } = self;
        Some(format!("no run has {key}{sign}{value}{hint}; there is {shown}"))
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
            (field, _) => Some(field.text().as_str().cmp(&self.value)),
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
