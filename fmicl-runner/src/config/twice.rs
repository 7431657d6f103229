//! A key or a table that a file gives twice: where it is given first.

use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The fault of the key at an offset, which the text has given before.
pub(super) fn words(text: &str, at: usize) -> String {
    let (before, rest) = text.split_at(at);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let (before, line) = (&text[..start], text[start..].lines().next().unwrap_or_default());
    let (key, remedy) = match header(line) {
        Some(key) => (key, "put its keys into one table"),
        None => (
            rest.split(['=', '\n']).next().unwrap_or_default().trim(),
            "one of them must go",
        ),
    };
    let is_header = header(line).is_some();
    let path = match (is_header, before.lines().rev().find_map(header)) {
        (false, Some(table)) => names(table).into_iter().chain(names(key)).collect(),
        _ => names(key),
    };
    let first = DeTable::parse(before)
        .ok()
        .and_then(|root| first(root.get_ref(), &path));
    let also = first.map(|span| format!(", here and on line {}", 1 + text[..span.start].matches('\n').count()));
    let shown = if is_header { format!("[{key}]") } else { key.to_string() };
    format!("`{shown}` is given twice{}: {remedy}", also.unwrap_or_default())
}

/// The key of a line that begins a table.
fn header(line: &str) -> Option<&str> {
    let inside = line.trim_start().strip_prefix('[')?;
    let inside = inside.strip_prefix('[').unwrap_or(inside);
    inside.split(']').next().map(str::trim)
}

/// The parts of a dotted key.
fn names(key: &str) -> Vec<String> {
    let text = format!("{key} = 0");
    let mut names = Vec::new();
    let Ok(root) = DeTable::parse(&text) else { return names };
    let mut table = Some(root.get_ref());
    while let Some((name, value)) = table.and_then(|table| table.iter().next()) {
        names.push(name.get_ref().to_string());
        table = match value.get_ref() {
            DeValue::Table(inner) => Some(inner),
            _ => None,
        };
    }
    names
}

/// Where the last key of a path is that a table has; in an array of tables the last table counts.
fn first(table: &DeTable, path: &[String]) -> Option<Range<usize>> {
    let (name, rest) = path.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name.as_str())?;
    let inner = match value.get_ref() {
        DeValue::Table(inner) => first(inner, rest),
        DeValue::Array(items) => match items.iter().last().map(|item| item.get_ref()) {
            Some(DeValue::Table(inner)) => first(inner, rest),
            _ => None,
        },
        _ => None,
    };
    Some(inner.unwrap_or(key.span()))
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    #[test]
    fn what_is_given_twice_is_told_with_both_lines() {
        let table = "put its keys into one table";
        let key = "one of them must go";
        for (text, expected) in [
            (
                "[train]\nlr = 1\n[eval]\n[train]\nepochs = 2\n",
                format!("`[train]` is given twice, here and on line 1: {table}"),
            ),
            (
                "x = 1\n[a.b]\ny = 1\n[c]\n[ a.b ] # again\n",
                format!("`[a.b]` is given twice, here and on line 2: {table}"),
            ),
            (
                "a = 1\n\n[a]\n",
                format!("`[a]` is given twice, here and on line 1: {table}"),
            ),
            (
                "a.b = 1\n[a]\nc = 1\n",
                format!("`[a]` is given twice, here and on line 1: {table}"),
            ),
            (
                "lr = 1\n[train]\nlr = 2\n\n'lr' = 3\n",
                format!("`'lr'` is given twice, here and on line 3: {key}"),
            ),
            (
                "a.b = 1\na.b = 2\n",
                format!("`a.b` is given twice, here and on line 1: {key}"),
            ),
            ("x = { lr = 1, lr = 2 }\n", format!("`lr` is given twice: {key}")),
        ] {
            let error = DeTable::parse(text).unwrap_err();
            assert_eq!(super::super::broken::words(text, &error).1, expected, "{text}");
        }
    }
}
