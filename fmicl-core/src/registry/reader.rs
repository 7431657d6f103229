//! Deserializer of configs. Its errors name the dotted key, the expected type and the value found, in the terms of TOML.

use super::below_zero::{Negative, Noted};
use super::words::expected;
use crate::Result;
use crate::error::{Error, within};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use toml::Value;

/// Deserializer of one value of a config. The key of an error is relative to this value.
pub(super) struct Reader<'a>(pub Value, pub Noted<'a>);

/// Reads the value of a key, and puts that key before the keys of errors in the value.
fn inner<'de, S: DeserializeSeed<'de>>(key: &str, value: Value, seed: S, noted: Noted) -> Result<S::Value> {
    let before = noted.borrow().len();
    let read = seed.deserialize(Reader(value, noted));
    for negative in &mut noted.borrow_mut()[before..] {
        negative.key = within(key, &negative.key);
    }
    read.map_err(|error| error.at(key))
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            let most = <$type>::MAX as u64;
            let range = match <$type>::MIN as i64 {
                0 if most > i64::MAX as u64 => "a whole number from 0".into(),
                least if most > i32::MAX as u64 => match least {
                    0 => format!("a whole number from 0 to {most}"),
                    _ => "a whole number".into(),
                },
                least => format!("a whole number from {least} to {most}"),
            };
            match self.0 {
                Value::Integer(number) => match <$type>::try_from(number) {
                    Ok(number) => visitor.$visit(number),
                    Err(_) if number < 0 && <$type>::MIN == 0 => {
                        let key = String::new();
                        self.1.borrow_mut().push(Negative { key, found: number, range });
                        visitor.$visit(0)
                    }
                    Err(_) => Err(expected(range, &self.0)),
                },
                other => Err(expected(range, &other)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Boolean(value) => visitor.visit_bool(value),
            Value::Integer(value) => visitor.visit_i64(value),
            Value::Float(value) => visitor.visit_f64(value),
            Value::String(value) => visitor.visit_string(value),
            Value::Array(values) => visitor.visit_seq(Items(values.into_iter().enumerate(), self.1)),
            Value::Table(table) => visitor.visit_map(Entries(table.into_iter(), None, self.1)),
            date @ Value::Datetime(_) => date.deserialize_any(visitor).map_err(de::Error::custom),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Boolean(value) => visitor.visit_bool(value),
            other => Err(expected("true or false", &other)),
        }
    }

    integers! {
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64, deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Float(value) => visitor.visit_f64(value),
            Value::Integer(value) => visitor.visit_f64(value as f64),
            other => Err(expected("a number", &other)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            other => Err(expected("a text in quotes", &other)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Array(_) => self.deserialize_any(visitor),
            other => Err(expected("an array", &other)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        match &self.0 {
            Value::Array(items) if items.len() == len => self.deserialize_any(visitor),
            Value::Array(items) => Err(Error::config(format!("expected {len} values, found {}", items.len()))),
            other => Err(expected(format!("an array of {len} values"), other)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Table(_) => self.deserialize_any(visitor),
            other => Err(expected("a table", &other)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.0 {
            Value::String(variant) => visitor.visit_enum(variant.into_deserializer()),
            table @ Value::Table(_) => table
                .deserialize_enum(name, variants, visitor)
                .map_err(de::Error::custom),
            other => Err(expected(format!("one of {}", variants.join(", ")), &other)),
        }
    }

    serde::forward_to_deserialize_any! {
        char bytes byte_buf unit unit_struct tuple_struct identifier ignored_any
    }
}

/// Entries of a table, and the entry whose value is read next.
struct Entries<'a>(toml::map::IntoIter<String, Value>, Option<(String, Value)>, Noted<'a>);

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.1 = self.0.next();
        let key = self.1.as_ref().map(|(key, _)| key.as_str().into_deserializer());
        key.map(|key: de::value::StrDeserializer<Error>| seed.deserialize(key))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let (key, value) = self.1.take().ok_or_else(|| Error::config("a value without a key"))?;
        inner(&key, value, seed, self.2)
    }
}

/// Values of an array with their indices.
struct Items<'a>(std::iter::Enumerate<std::vec::IntoIter<Value>>, Noted<'a>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let item = self.0.next();
        let read = |(index, value)| inner(&format!("[{index}]"), value, seed, self.1);
        item.map(read).transpose()
    }
}
