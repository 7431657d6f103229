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
    let of = |value: Value| {
        value
            .try_into()
            .map_err(|error| D::Error::custom(error.to_string().trim_end()))
    };
    match Value::deserialize(deserializer)? {
        Value::Array(values) => values.into_iter().map(of).collect(),
        one => Ok(vec![of(one)?]),
    }
}
