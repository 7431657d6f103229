//! Rows of JSON lines: an object or an array a line.

use super::{Kind, Row, Table};
use crate::files::lines_of;
use csv::StringRecord;
use fmicl_core::{Result, encoding};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// Returns true if a line is an object or an array of JSON.
pub(super) fn is_json(line: &[u8]) -> bool {
    serde_json::from_slice::<Line>(line).is_ok()
}

/// The rows of a table of JSON lines. Where they are objects, the first row are the names of the first one's members, and each has its members in that
/// order.
pub(super) fn rows<'a>(table: &Table<'a>) -> impl Iterator<Item = Result<Row<'a>>> {
    let mut names: Option<Vec<String>> = None;
    let lines = (1..).zip(lines_of(&table.bytes[table.bytes.text_start()..]));
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    lines.flat_map(
        move |(number, line)| match table.rows_of_line(number, line, &mut names) {
            Ok(rows) => rows.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        },
    )
}

impl<'a> Table<'a> {
    /// The row of a line; before the first object's, the names of its members.
    fn rows_of_line(&self, number: u64, line: &[u8], names: &mut Option<Vec<String>>) -> Result<Vec<Row<'a>>> {
        let row = |kind, fields: Vec<String>| Row {
            path: self.path,
            line: number,
            record: StringRecord::from(fields),
            kind,
        };
        let wrong = |message: String| row(Kind::Values, vec![]).error(message);
        let text = encoding::text(line, self.path, number, &self.bytes)?;
        let read = serde_json::from_str(text);
        let members = match read.map_err(|error| wrong(format!("is no object or array of JSON: {error}")))? {
            Line::Object(members) => members,
            Line::Array(values) if names.is_none() => {
                let fields = (1..)
                    .zip(values)
                    .map(|(place, value)| field(&format!("value {place}"), value));
                let fields = fields.collect::<Result<_, _>>().map_err(wrong)?;
                return Ok(vec![row(Kind::Values, fields)]);
            }
            Line::Array(_) => return Err(wrong("is an array, where the lines before are objects".into())),
        };
        let is_first = names.is_none();
        let names = names.get_or_insert_with(|| members.iter().map(|(name, _)| name.clone()).collect());
        let mut fields = vec![String::new(); names.len()];
        for (name, value) in members {
            let Some(place) = names.iter().position(|known| *known == name) else {
                return Err(wrong(format!("has `{name}`, which the first line has not")));
            };
            fields[place] = field(&name, value).map_err(wrong)?;
        }
        let head = is_first.then(|| row(Kind::Names, names.clone()));
        Ok(head.into_iter().chain([row(Kind::Values, fields)]).collect())
    }
}

/// A value as the text of a field; `name` is its own.
fn field(name: &str, value: Value) -> Result<String, String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text),
        Value::Array(values) => match &values[..] {
            [Value::String(text)] => Ok(text.clone()),
            _ => Err(format!("`{name}` is a list of {}; one text is expected", values.len())),
        },
        other => Ok(other.to_string()),
    }
}

/// What a line holds, members in their order.
enum Line {
    Object(Vec<(String, Value)>),
    Array(Vec<Value>),
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Line;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object or an array")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Line::Object(members))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Line, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Line::Array(values))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::rows;

    #[test]
    fn objects_have_a_row_of_names_and_their_members_in_that_order() {
        let text = "\u{feff}{\"b\": \"x, y\", \"a\": 1.5, \"c\": [\"z\"]}\r\n\n{\"c\": null, \"b\": \"\\u00e9\"}\n";
        let expected = ["1: b | a | c", "1: x, y | 1.5 | z", "3: é |  | "];
        assert_eq!(rows(text).unwrap(), expected);
    }

    #[test]
    fn arrays_are_rows_without_names() {
        assert_eq!(rows("[\"a\", \"b\"]\n[\"c\", 2]\n").unwrap(), ["1: a | b", "2: c | 2"]);
    }

    #[test]
    fn what_is_no_row_is_said_with_its_line() {
        for (second, expected) in [
            (
                "{\"a\": \"x\"",
                "line 2: is no object or array of JSON: EOF while parsing an object at line 1 column 9",
            ),
            ("{\"d\": \"x\"}", "line 2: has `d`, which the first line has not"),
            (
                "{\"a\": [\"x\", \"y\"]}",
                "line 2: `a` is a list of 2; one text is expected",
            ),
            ("[1]", "line 2: is an array, where the lines before are objects"),
            (
                "7",
                "line 2: is no object or array of JSON: invalid type: integer `7`, expected an object or an array at line 1 column 1",
            ),
        ] {
            assert_eq!(rows(&format!("{{\"a\": \"x\"}}\n{second}\n")).unwrap_err(), expected);
        }
        assert!(rows("[1]\n{\"a\": 2}").unwrap().len() == 3);
    }
}
