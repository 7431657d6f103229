//! A key or a table that a file gives twice: where it is given first.

use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The fault of the key at an offset, which the text has given before.
pub(super) fn words(text: &str, at: usize) -> String {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let is_item = line.trim_start().starts_with("[[");
    let (shown, path, remedy) = match header(line) {
        Some(key) => {
            let shown = if is_item {
                format!("[[{key}]]")
            } else {
                format!("[{key}]")
            };
            (shown, names(key), "put its keys into one table")
        }
        None => {
            // Within a line it is a key of an inline table; the offset of a dotted key may be its last part's.
            let is_inline = text[start..at].contains(['=', '{', ',']);
            let begin = if is_inline { at } else { start };
            let key = text[begin..].split(['=', '\n']).next().unwrap_or_default().trim();
            let table = text[..start].lines().rev().find_map(header).map(names);
            let path = match is_inline {
                false => table.into_iter().flatten().chain(names(key)).collect(),
                true => Vec::new(),
            };
            (key.to_string(), path, "one of them must go")
        }
    };
    let before = DeTable::parse(&text[..start]).ok();
    let first = before.as_ref().and_then(|before| first(before.get_ref(), &path));
    let number = |span: &Range<usize>| 1 + text[..span.start].matches('\n').count();
    let also = first
        .as_ref()
        .map(|(span, _)| format!(", here and on line {}", number(span)));
    match first {
        Some((span, Found::Item)) if header(line).is_some() && !is_item => format!(
            "`{shown}` is one of several since line {}: write it as `[{shown}]`",
            number(&span)
        ),
        Some((span, Found::Whole)) if is_item => format!(
            "`{shown}` is a single table on line {}: for several, write `{shown}` in both places",
            number(&span)
        ),
        Some((span, Found::Text(name))) if header(line).is_some() && !is_item => format!(
            "`{shown}` is given twice, here and on line {}: remove that line, and put name = {name:?} into this table",
            number(&span)
        ),
        Some((span, Found::Table(name))) => format!(
            "`{shown}` adds to the table `{name}` of line {}, which has a header of its own: put the key below that",
            number(&span)
        ),
        _ => format!("`{shown}` is given twice{}: {remedy}", also.unwrap_or_default()),
    }
}

/// The key of a line that begins a table.
fn header(line: &str) -> Option<&str> {
    let inside = line.trim_start().strip_prefix('[')?;
    let inside = inside.strip_prefix('[').unwrap_or(inside);
    let (key, rest) = inside.split_once(']')?;
    let rest = rest.trim_start_matches(']').trim_start();
    (rest.is_empty() || rest.starts_with('#')).then_some(key.trim())
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

/// What stands in a key's place.
enum Found {
    /// A value, or a table.
    Whole,
    /// A text, such as the name of a part.
    Text(String),
    /// An array of tables.
    Item,
    /// A table of this name, without the key.
    Table(String),
}

/// Where a table has the last key of a path, or one before it that is no table or lacks the next one; in an array of tables the
/// last one counts.
fn first(table: &DeTable, path: &[String]) -> Option<(Range<usize>, Found)> {
    let (name, rest) = path.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name.as_str())?;
    let inner = match value.get_ref() {
        DeValue::Array(items) => items.iter().last().map(|item| item.get_ref()),
        other => Some(other),
    };
    match (inner, value.get_ref()) {
        (Some(DeValue::Table(inner)), _) if !rest.is_empty() => {
            first(inner, rest).or_else(|| Some((key.span(), Found::Table(name.clone()))))
        }
        (Some(DeValue::Table(_)), DeValue::Array(_)) => Some((key.span(), Found::Item)),
        (Some(DeValue::String(text)), DeValue::String(_)) if rest.is_empty() => {
            Some((key.span(), Found::Text(text.to_string())))
        }
        _ => Some((key.span(), Found::Whole)),
    }
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
                "a = 'b'\n\n[a]\n",
                "`[a]` is given twice, here and on line 1: remove that line, and put name = \"b\" into this table".into(),
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
            (
                "lr = 1\nx = { lr = 1, lr = 2 }\n",
                format!("`lr` is given twice: {key}"),
            ),
            (
                "[[axis]]\nname = 1\n[axis]\n",
                "`[axis]` is one of several since line 1: write it as `[[axis]]`".to_string(),
            ),
            (
                "x = 1\n[axis]\nname = 1\n[[axis]]\n",
                "`[[axis]]` is a single table on line 2: for several, write `[[axis]]` in both places".to_string(),
            ),
            (
                "[views.crop]\nscale = 1\n[views]\ncrop.ratio = 1\n",
                "`crop.ratio` adds to the table `crop` of line 1, which has a header of its own: put the key below that"
                    .to_string(),
            ),
            (
                "lr = 1\n[a]\nx = [\n  ['b'],\n]\nlr = 1\nlr = 2\n",
                format!("`lr` is given twice, here and on line 6: {key}"),
            ),
        ] {
            let error = DeTable::parse(text).unwrap_err();
            assert_eq!(super::super::broken::words(text, &error).1, expected, "{text}");
        }
    }
}
