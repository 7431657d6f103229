//! Conversion of options structs from and to TOML tables.

use super::below_zero::BelowZero;
use super::reader::Reader;
use crate::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};
use std::cell::RefCell;
use toml::Value;

/// Reads an options struct from a table, and checks it.
///
/// # Errors
/// [`Error::Config`] with the dotted key of the value that is unknown, missing, of the wrong type or out of range.
pub fn read_valid<T: DeserializeOwned>(options: toml::Table, validate: fn(&T) -> Result<()>) -> Result<T> {
    let (value, below_zero) = read(options)?;
    let wrong = below_zero.among(validate(&value).err().into_iter().collect());
    wrong.into_iter().next().map_or(Ok(value), Err)
}

/// Reads an options struct from a table without validating it. A negative number for an unsigned option is read as 0 and
/// returned in [`BelowZero`], so that validation can report the option's range.
///
/// # Errors
/// [`Error::Config`] with the dotted key of the value that is unknown, missing or of the wrong type.
pub fn read<T: DeserializeOwned>(options: toml::Table) -> Result<(T, BelowZero)> {
    let below_zero = RefCell::default();
    let value = T::deserialize(Reader(Value::Table(options), &below_zero))?;
    Ok((value, BelowZero(below_zero.into_inner())))
}

/// Reads an options struct from a table without validating it; a negative number for an unsigned option is an error.
///
/// # Errors
/// [`Error::Config`] with the dotted key of the value that is unknown, missing or of the wrong type.
pub fn read_options<T: DeserializeOwned>(options: toml::Table) -> Result<T> {
    read_valid(options, |_| Ok(()))
}

/// Writes an options struct as a table, so that defaults can be shown.
///
/// # Errors
/// [`Error::Config`] where a value has no form in TOML, such as an integer above 2^63.
pub fn write_options<T: Serialize>(options: &T) -> Result<toml::Table> {
    toml::Table::try_from(options).map_err(|error| Error::config(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::read_options;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is read alone")]
    struct Options {
        count: Option<u8>,
        rate: Option<f64>,
        on: Option<bool>,
        pair: Option<(f64, f64)>,
        list: Option<Vec<Inner>>,
        inner: Option<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "it is read alone")]
    struct Inner {
        name: String,
    }

    #[test]
    fn a_wrong_type_is_said_in_the_words_of_toml_with_what_would_work() {
        for (text, expected) in [
            (
                "count = 256",
                "count: expected a whole number from 0 to 255, found the number 256",
            ),
            (
                "count = 1.5",
                "count: expected a whole number from 0 to 255, found the number 1.5",
            ),
            ("rate = 'x'", "rate: expected a number, found the string \"x\""),
            (
                "rate = '.1'",
                "rate: expected a number, found the string \".1\"; write it as `0.1`",
            ),
            (
                "rate = '-1.'",
                "rate: expected a number, found the string \"-1.\"; write it as `-1.0`",
            ),
            (
                "on = 'True'",
                "on: expected true or false, found the string \"True\"; write it as `true`",
            ),
            ("on = 1", "on: expected true or false, found the number 1"),
            ("pair = 3", "pair: expected an array of 2 values, found the number 3"),
            ("pair = [1, 2, 3]", "pair: expected 2 values, found 3"),
            ("pair = [1, 'x']", "pair[1]: expected a number, found the string \"x\""),
            ("list = {}", "list: expected an array, found a table"),
            (
                "list = [{ name = 'a' }, { name = 3 }]",
                "list[1].name: expected a text in quotes, found the number 3",
            ),
            ("list = [{}]", "list[0]: the key `name` is missing"),
            ("inner = []", "inner: expected a table, found an array"),
            (
                "inner.name = 1979-05-27",
                "inner.name: expected a text in quotes, found the date 1979-05-27",
            ),
            (
                "cuont = 1",
                "cuont: unknown key (did you mean `count`?); known keys: count, rate, on, pair, list, inner",
            ),
        ] {
            let error = read_options::<Options>(toml::from_str(text).unwrap()).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text}");
        }
    }
}
