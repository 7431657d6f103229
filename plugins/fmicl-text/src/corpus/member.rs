//! The sentence of a line of JSON.

use serde_json::Value;

/// Members that are looked for where none is named.
const USUAL: [&str; 2] = ["text", "sentence"];

/// The text of an object's member `column`, by default of `text` or `sentence`; or the line's own, if it is a string. `null` is empty.
///
/// # Errors
/// What is wrong with the line.
pub(super) fn sentence(line: &str, column: &str) -> Result<String, String> {
    let value = serde_json::from_str(line).map_err(|error| format!("is no JSON: {error}"))?;
    let mut members = match value {
        Value::String(text) => return Ok(text),
        Value::Object(members) => members,
        _ => return Err("is no object or string of JSON".into()),
    };
    let wanted = if column.is_empty() { &USUAL[..] } else { &[column] };
    let Some(name) = wanted.iter().find(|name| members.contains_key(**name)) else {
        let names: Vec<&str> = members.keys().map(String::as_str).take(20).collect();
        let wanted = wanted.join("` or `");
        return Err(format!(
            "has no `{wanted}`; `column` should name one of {}",
            names.join(", ")
        ));
    };
    match members.remove(*name) {
        Some(Value::String(text)) => Ok(text),
        Some(Value::Null) => Ok(String::new()),
        _ => Err(format!("`{name}` is no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_named_or_usual() {
        assert_eq!(sentence("{\"id\": 1, \"text\": \"a \\u00e9\"}", "").unwrap(), "a é");
        assert_eq!(sentence("{\"sentence\": null}", "").unwrap(), "");
        assert_eq!(sentence("{\"text\": \"a\", \"title\": \"b\"}", "title").unwrap(), "b");
        assert_eq!(sentence("\"a\"", "").unwrap(), "a");
    }

    #[test]
    fn what_is_no_sentence_is_said() {
        for (line, column, expected) in [
            (
                "{\"a\": 1, \"b\": 2}",
                "",
                "has no `text` or `sentence`; `column` should name one of a, b",
            ),
            (
                "{\"text\": 1}",
                "name",
                "has no `name`; `column` should name one of text",
            ),
            ("{\"text\": [\"a\"]}", "", "`text` is no text"),
            ("[\"a\"]", "", "is no object or string of JSON"),
            ("a", "", "is no JSON: expected value at line 1 column 1"),
        ] {
            assert_eq!(sentence(line, column).unwrap_err(), expected);
        }
    }
}
