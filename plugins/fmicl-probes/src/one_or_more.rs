//! An option that is one value, or a list of them.

use fmicl_core::toml::Value;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes one value as itself.
pub fn serialize<S: Serializer, T: Serialize>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    match values {
        [one] => one.serialize(serializer),
        values => values.serialize(serializer),
    }
}

/// Reads a value or a list.
pub fn deserialize<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let of = |value: Value| match (value.as_integer(), value.try_into()) {
        (_, Ok(value)) => Ok(value),
        // Only a count refuses a number below 0.
        (Some(number @ ..0), Err(_)) => Err(D::Error::custom(format_args!("{number} is not at least 1"))),
        (_, Err(error)) => Err(D::Error::custom(error.to_string().trim_end())),
    };
    match Value::deserialize(deserializer)? {
        Value::Array(values) => values.into_iter().map(of).collect(),
        one => Ok(vec![of(one)?]),
    }
}
