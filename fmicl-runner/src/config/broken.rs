//! Faults of text that is not TOML, in one line that says what would work.

use super::twice;
use fmicl_core::registry::in_toml;
use toml::de::Error;

/// The offset in the text at which it is wrong, and the words. Values of other languages are told how TOML writes them; the
/// rest is the parser's.
pub(super) fn words(text: &str, error: &Error) -> (usize, String) {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    if error.message() == "duplicate key" {
        return (at, twice::words(text, at));
    }
    let is_end = |c: char| c.is_whitespace() || "=,[]{}#".contains(c);
    let start = text[..at].rfind(is_end).map_or(0, |end| end + 1);
    let value = &text[start..];
    let value = &value[..value.find(is_end).unwrap_or(value.len())];
    let before = text[..start].trim_end_matches([' ', '\t']).chars().next_back();
    // A `--set` is a value from its start.
    let words = match before {
        None | Some('=' | ',' | '[') => of_value(value),
        _ => None,
    };
    match words {
        Some(words) => (start, words),
        None => (at, one_line(error.message())),
    }
}

fn of_value(value: &str) -> Option<String> {
    let is_word = |c: char| c.is_alphanumeric() || "-_./~:+".contains(c);
    match value {
        "" => Some("a value is missing".into()),
        "None" | "null" | "nil" => Some(format!("TOML has no `{value}`: leave the key out")),
        // The parser knows better what is wrong with a text in quotes.
        _ if !value.chars().all(is_word) => None,
        _ => match in_toml(value) {
            Some(written) if written != value => Some(format!("`{value}` is written as `{written}` in TOML")),
            None if value.starts_with(|c: char| c.is_alphabetic() || "~/.".contains(c)) => Some(format!(
                "`{value}` is not a TOML value: write text in quotes, \"{value}\""
            )),
            _ => None,
        },
    }
}

/// A message of several lines in one.
fn one_line(message: &str) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    #[test]
    fn what_is_no_toml_is_told_what_would_work() {
        for (text, expected) in [
            ("lr = .1\n", "`.1` is written as `0.1` in TOML"),
            ("x = [1., 2]", "`1.` is written as `1.0` in TOML"),
            ("x = -.5 # no", "`-.5` is written as `-0.5` in TOML"),
            ("a = 1\nx = True\n", "`True` is written as `true` in TOML"),
            (
                "o = {name=infonce}",
                "`infonce` is not a TOML value: write text in quotes, \"infonce\"",
            ),
            (
                "x = [1, foo]",
                "`foo` is not a TOML value: write text in quotes, \"foo\"",
            ),
            (
                "root = ~/data # no",
                "`~/data` is not a TOML value: write text in quotes, \"~/data\"",
            ),
            ("x = None", "TOML has no `None`: leave the key out"),
            ("x = \ny = 1", "a value is missing"),
            ("x = 'a\ny = 1", "invalid literal string, expected `'`"),
            (
                "x = 1\nx = 2",
                "`x` is given twice, here and on line 1: one of them must go",
            ),
            ("lr 0.1", "key with no value, expected `=`"),
            ("x = 1_", "`_` may only go between digits, expected nothing"),
        ] {
            let error = DeTable::parse(text).unwrap_err();
            assert_eq!(super::words(text, &error).1, expected, "{text}");
        }
    }
}
