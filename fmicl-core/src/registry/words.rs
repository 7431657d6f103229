//! Messages of config errors, in TOML's terms instead of serde's.

use super::did_you_mean;
use crate::error::{Error, Problem};
use serde::de::{self, Unexpected};
use std::cell::RefCell;
use std::fmt::Display;
use toml::Value;

/// Message for a value of another type than expected.
pub(super) fn expected(expected: impl Display, found: &Value) -> Error {
    let hint = hint(found).unwrap_or_default();
    Error::config(format!("expected {expected}, found {}{hint}", shown(found)))
}

/// A value in TOML's words.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("the string {text:?}"),
        Value::Integer(_) | Value::Float(_) => format!("the number {value}"),
        Value::Boolean(_) => format!("`{value}`"),
        Value::Datetime(_) => format!("the date {value}"),
        Value::Array(_) => "an array".into(),
        Value::Table(_) => "a table".into(),
    }
}

/// How a text that another language would take for a number or a boolean is written in TOML.
fn hint(found: &Value) -> Option<String> {
    let text = found.as_str()?.trim();
    let written = in_toml(text)?;
    Some(format!("; write it as `{written}`"))
}

/// A boolean or a number of another language as TOML writes it, such as `true` for `True` and `0.1` for `.1`.
pub fn in_toml(text: &str) -> Option<String> {
    if let "true" | "false" = &*text.to_lowercase() {
        return Some(text.to_lowercase());
    }
    let number: f64 = text.parse().ok()?;
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    match digits {
        _ if !number.is_finite() => None,
        digits if digits.starts_with('.') => Some(format!("{sign}0{digits}")),
        digits if digits.ends_with('.') => Some(format!("{sign}{digits}0")),
        digits if digits.contains(".e") => Some(format!("{sign}{}", digits.replace(".e", ".0e"))),
        _ => Some(text.into()),
    }
}

thread_local! {
    /// An error on its way through a deserializer that is generic: serde lets no more than its text through.
    static THROWN: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// The error as that of a deserializer of any kind; [`Error`] itself catches it whole.
pub fn throw<E: de::Error>(error: Error) -> E {
    let text = error.to_string();
    THROWN.set(Some(error));
    E::custom(text)
}

/// serde's errors, each made where the deserializer knows what is wrong.
impl de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        let text = message.to_string();
        match THROWN.take() {
            Some(thrown) if thrown.to_string() == text => thrown,
            _ => Error::config(text),
        }
    }

    fn invalid_type(found: Unexpected, wanted: &dyn de::Expected) -> Self {
        match value_of(found) {
            Some(found) => expected(wanted, &found),
            None => Error::config(format!("expected {wanted}, found {found}")),
        }
    }

    fn invalid_value(found: Unexpected, wanted: &dyn de::Expected) -> Self {
        Self::invalid_type(found, wanted)
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        let hint = did_you_mean(found, known);
        Error::config(format!("`{found}` is not one of {}{hint}", known.join(", ")))
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Self {
        Error::from(Problem::UnknownKey { known }).at(found)
    }

    fn missing_field(key: &'static str) -> Self {
        Problem::MissingKey(key).into()
    }
}

fn value_of(found: Unexpected) -> Option<Value> {
    Some(match found {
        Unexpected::Bool(value) => value.into(),
        Unexpected::Signed(value) => value.into(),
        Unexpected::Unsigned(value) => i64::try_from(value).ok()?.into(),
        Unexpected::Float(value) => value.into(),
        Unexpected::Str(text) => text.into(),
        Unexpected::Seq => Value::Array(Vec::new()),
        Unexpected::Map => Value::Table(toml::Table::new()),
        _ => return None,
    })
}
