//! The keys that a type reads, as serde knows them: nothing else lists them.

use crate::registry::{KindInfo, kinds};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
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
    /// A list; the shape of its items is that of any key within it.
    List,
    /// A table with keys of the user's own; the shape of its values is that of any key within it.
    Map,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer {
        /// Whether it may be below 0.
        signed: bool,
    },
    /// A number.
    Number,
    /// A string.
    Text,
    /// One of these strings.
    OneOf(&'static [&'static str]),
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

/// The methods of [`Deserializer`] that answer with the shape of a value that holds no others.
macro_rules! scalars {
    ($($shape:expr => $($method:ident)+;)+) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
            self.scalar($shape, visitor)
        }
    )+)+};
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

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        match self.0 {
            Some([]) => Err(Answer(Shape::List)),
            Some([_, rest @ ..]) => visitor.visit_seq(OneItem(Some(Ask(Some(rest))))),
            None => Err(Answer(Shape::Other)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Answer> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        match self.0 {
            Some([]) => Err(Answer(Shape::Map)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Answer> {
        self.scalar(Shape::OneOf(variants), visitor)
    }

    scalars! {
        Shape::Bool => deserialize_bool;
        Shape::Integer { signed: true } => deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64;
        Shape::Integer { signed: false } => deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64;
        Shape::Number => deserialize_f32 deserialize_f64;
        Shape::Text => deserialize_char deserialize_str deserialize_string;
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct tuple_struct identifier ignored_any }
}

impl Ask<'_> {
    /// Answers with the shape of a value that holds no others.
    fn scalar<'de, V: Visitor<'de>>(self, shape: Shape, visitor: V) -> Result<V::Value, Answer> {
        match self.0 {
            Some([]) => Err(Answer(shape)),
            _ => self.deserialize_any(visitor),
        }
    }
}

/// A list of one item.
struct OneItem<'a>(Option<Ask<'a>>);

impl<'de> SeqAccess<'de> for OneItem<'_> {
    type Error = Answer;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Answer> {
        self.0.take().map(|item| seed.deserialize(item)).transpose()
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
        assert_eq!(shape::<crate::FMicl>(&["divergence"]), Shape::Part("divergence"));
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Choice {
        First,
        SecondOne,
    }

    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "it is asked for its keys alone")]
    struct Values {
        on: bool,
        count: Option<u8>,
        offset: i64,
        rate: Option<f64>,
        path: std::path::PathBuf,
        choice: Option<Choice>,
        pair: (f64, f64),
        parts: Vec<crate::Part<dyn crate::Divergence>>,
        lists: Vec<Vec<bool>>,
        by_name: std::collections::BTreeMap<String, u64>,
        any: toml::Value,
    }

    #[test]
    fn the_type_of_every_value_is_found_and_that_of_what_is_in_lists_and_maps() {
        let at = |path: &[&str]| shape::<Values>(path);
        assert_eq!(at(&["on"]), Shape::Bool);
        assert_eq!(at(&["count"]), Shape::Integer { signed: false });
        assert_eq!(at(&["offset"]), Shape::Integer { signed: true });
        assert_eq!(at(&["rate"]), Shape::Number);
        assert_eq!(at(&["path"]), Shape::Text);
        assert_eq!(at(&["choice"]), Shape::OneOf(&["first", "second-one"]));
        assert_eq!((at(&["pair"]), at(&["pair", "0"])), (Shape::List, Shape::Number));
        assert_eq!(
            (at(&["parts"]), at(&["parts", "0"])),
            (Shape::List, Shape::Part("divergence"))
        );
        assert_eq!(at(&["lists", "0", "0"]), Shape::Bool);
        assert_eq!(
            (at(&["by_name"]), at(&["by_name", "x"])),
            (Shape::Map, Shape::Integer { signed: false })
        );
        assert_eq!(at(&["any"]), Shape::Other);
        // Of what holds nothing there is nothing.
        assert_eq!(at(&["on", "x"]), Shape::Other);
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
