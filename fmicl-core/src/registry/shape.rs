//! The keys that a type reads, as serde knows them: nothing else lists them.

use crate::registry::{KindInfo, kinds};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use toml::Value;

/// Shape of a config at a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A table with these keys.
    Table(&'static [&'static str]),
    /// A part of this kind.
    Part(&'static str),
    /// A table of parts of this kind by their names.
    Parts(&'static str),
    /// Anything else.
    Other,
}

/// The shape of what a type reads at `path`, a key within a key.
pub fn shape<T: DeserializeOwned>(path: &[&str]) -> Shape {
    match T::deserialize(Ask(Some(path))) {
        Err(Answer(shape)) => shape,
        Ok(_) => Shape::Other,
    }
}

/// The keys that an options struct reads; empty where it is no plain struct.
pub fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    shape::<T>(&[]).fields()
}

impl Shape {
    /// The keys of a table; anything else has none.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Shape::Table(fields) => fields,
            _ => &[],
        }
    }
}

/// A table of a config.
#[derive(Debug)]
pub struct Known {
    /// Its dotted key, empty for the whole config.
    pub at: String,
    /// The keys that it may have.
    pub keys: Vec<&'static str>,
    /// The kind of the part that they are options of, if it is one.
    pub kind: Option<&'static KindInfo>,
}

/// Every table that a config of the type has or may have, those of the parts that `written` names among them.
pub fn tables<T: DeserializeOwned>(written: &toml::Table) -> Vec<Known> {
    let mut found = Vec::new();
    let written = Value::Table(written.clone());
    walk(&shape::<T>, &mut Vec::new(), "", Some(&written), &mut found);
    found
}

/// Deeper than any options struct; one that holds itself would never end.
const DEEPEST: usize = 8;

fn walk(
    shape: &dyn Fn(&[&str]) -> Shape,
    path: &mut Vec<&'static str>,
    at: &str,
    written: Option<&Value>,
    found: &mut Vec<Known>,
) {
    match shape(path) {
        Shape::Table(keys) if path.len() < DEEPEST => {
            found.push(Known {
                at: at.into(),
                keys: keys.to_vec(),
                kind: None,
            });
            for key in keys {
                let dot = if at.is_empty() { "" } else { "." };
                path.push(key);
                let inner = written.and_then(|written| written.get(key));
                walk(shape, path, &format!("{at}{dot}{key}"), inner, found);
                path.pop();
            }
        }
        Shape::Part(kind) => {
            let name = written.and_then(|written| written.as_str().or_else(|| written.get("name")?.as_str()));
            // A part may stand under its name.
            let name = name.or(path.last().copied());
            let kind = kinds().into_iter().find(|info| info.name == kind);
            if let (Some(name), Some(kind)) = (name, kind) {
                let first = found.len();
                walk(&|path| (kind.shape)(name, path), &mut Vec::new(), at, written, found);
                if let Some(part) = found.get_mut(first) {
                    part.kind = Some(kind);
                }
            }
        }
        Shape::Parts(kind) => {
            let Some(kind) = kinds().into_iter().find(|info| info.name == kind) else {
                return;
            };
            let keys: Vec<_> = (kind.list)().into_iter().map(|part| part.name).collect();
            for name in &keys {
                let shape = |path: &[&str]| (kind.shape)(name, path);
                let inner = written.and_then(|written| written.get(name));
                walk(&shape, &mut Vec::new(), &format!("{at}.{name}"), inner, found);
            }
            let (at, kind) = (at.into(), None);
            found.push(Known { at, keys, kind });
        }
        _ => (),
    }
}

/// Deserializer without a value. It returns the shape of the type at a path as an error; without a path, this is
/// [`Shape::Other`].
#[derive(Clone, Copy)]
struct Ask<'a>(Option<&'a [&'a str]>);

#[derive(Debug)]
struct Answer(Shape);

impl<'de> Deserializer<'de> for Ask<'_> {
    type Error = Answer;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        match self.0 {
            None => Err(Answer(Shape::Other)),
            // No key is called so: a struct says those that it has.
            Some([]) => visitor.visit_map(One(Some(""), Ask(None))),
            Some([first, rest @ ..]) => visitor.visit_map(One(Some(first), Ask(Some(rest)))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Answer> {
        let kinds = kinds();
        let of = |name| kinds.iter().find(|kind| kind.name == name).map(|kind| kind.name);
        match (of(name), name.strip_suffix('s').and_then(of), self.0) {
            (Some(kind), ..) => Err(Answer(Shape::Part(kind))),
            (_, Some(kind), Some([])) => Err(Answer(Shape::Parts(kind))),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Answer> {
        match self.0 {
            Some([]) => Err(Answer(Shape::Table(fields))),
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A table of one key.
struct One<'a>(Option<&'a str>, Ask<'a>);

impl<'de> MapAccess<'de> for One<'_> {
    type Error = Answer;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Answer> {
        let key = self.0.take().map(|key| seed.deserialize(key.into_deserializer()));
        key.transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Answer> {
        seed.deserialize(self.1)
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
        Answer(Shape::Other)
    }

    fn unknown_field(_key: &str, known: &'static [&'static str]) -> Self {
        Answer(Shape::Table(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_an_options_struct_are_found() {
        assert_eq!(
            fields::<crate::FMicl>(),
            ["divergence", "similarity", "alpha", "negatives", "shift"]
        );
        assert!(fields::<f64>().is_empty());
        assert_eq!(shape::<crate::FMicl>(&["similarity"]), Shape::Part("similarity"));
        assert_eq!(shape::<crate::FMicl>(&["alpha"]), Shape::Other);
    }

    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "it is asked for its keys alone")]
    struct Whole {
        inner: Option<Inner>,
        list: Vec<Inner>,
        any: toml::Value,
        objective: crate::Part<dyn crate::Objective>,
    }

    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "it is asked for its keys alone")]
    struct Inner {
        key: String,
        again: Option<Box<Inner>>,
    }

    #[test]
    fn every_table_is_found_and_a_struct_that_holds_itself_ends() {
        let written: toml::Table = toml::from_str("objective = { name = 'f-micl', similarity = 'x' }").unwrap();
        let found = tables::<Whole>(&written);
        let at = |key: &str| found.iter().find(|known| known.at == key).map(|known| &known.keys[..]);
        assert_eq!(at(""), Some(&["inner", "list", "any", "objective"][..]));
        assert_eq!(at("inner.again"), Some(&["key", "again"][..]));
        assert_eq!(at("objective").map(<[_]>::len), Some(5));
        assert_eq!(at("list"), None);
        assert!(found.len() < 12, "{found:?}");
    }
}
