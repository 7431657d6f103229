//! An option that is a text or a list of texts.

use serde::de::{Error, SeqAccess, Visitor, value::SeqAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Writes one text as it is, and several as a list.
pub(crate) fn serialize<S: Serializer>(texts: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match texts {
        [text] => text.serialize(serializer),
        texts => texts.serialize(serializer),
    }
}

/// Reads a text or a list of texts, none of them empty; `expected` says what they are.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<Vec<String>, D::Error> {
    struct OneOrMore(&'static str);
    impl<'de> Visitor<'de> for OneOrMore {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str(self.0)
        }
        fn visit_str<E>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.into()])
        }
        fn visit_seq<A: SeqAccess<'de>>(self, texts: A) -> Result<Vec<String>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(texts))
        }
    }
    let texts = deserializer.deserialize_any(OneOrMore(expected))?;
    match texts.iter().any(String::is_empty) {
        true => Err(D::Error::custom(format!("has an empty name; expected {expected}"))),
        false => Ok(texts),
    }
}
