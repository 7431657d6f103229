//! The names of a struct's fields, as serde knows them.

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};

/// The keys that an options struct reads; empty where it is no plain struct.
pub fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    match T::deserialize(Ask) {
        Err(Answer(fields)) => fields,
        Ok(_) => &[],
    }
}

/// A deserializer that holds nothing and answers every question with an error, the fields that it was asked for.
struct Ask;

#[derive(Debug)]
struct Answer(&'static [&'static str]);

impl<'de> Deserializer<'de> for Ask {
    type Error = Answer;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Answer> {
        Err(Answer(&[]))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Answer> {
        Err(Answer(fields))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Answer {}

impl de::Error for Answer {
    fn custom<T: std::fmt::Display>(_message: T) -> Self {
        Answer(&[])
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_fields_of_an_options_struct_are_found() {
        assert_eq!(
            super::fields::<crate::FMicl>(),
            ["divergence", "similarity", "alpha", "negatives"]
        );
        assert!(super::fields::<f64>().is_empty());
    }
}
