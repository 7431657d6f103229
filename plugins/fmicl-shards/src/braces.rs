//! Braces in a pattern, as bash and WebDataset expand them: `shard-{000..099}.tar`, `{train,val}.tar`.

/// The most paths that a pattern stands for.
const MOST: usize = 1_000_000;

/// The texts that a pattern stands for, in order.
///
/// # Errors
/// What is wrong with the braces.
pub(crate) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return Ok(vec![pattern.into()]);
    };
    let (inner, after) = closed(rest).ok_or_else(|| format!("`{pattern}` has a `{{` without its `}}`"))?;
    let middle = match range(inner)? {
        Some(numbers) => numbers,
        None => alternatives(inner)?,
    };
    let ends = expand(after)?;
    let count = middle.len().saturating_mul(ends.len());
    if count > MOST {
        return Err(format!("`{pattern}` stands for {count} files; at most {MOST} are read"));
    }
    let paths = middle
        .iter()
        .flat_map(|middle| ends.iter().map(move |end| format!("{before}{middle}{end}")));
    Ok(paths.collect())
}

/// The text up to the brace that closes, and the text behind it.
fn closed(text: &str) -> Option<(&str, &str)> {
    let mut open = 1;
    for (at, letter) in text.char_indices() {
        open += i32::from(letter == '{') - i32::from(letter == '}');
        if open == 0 {
            return Some((&text[..at], &text[at + 1..]));
        }
    }
    None
}

/// The numbers of `000..099`, as wide as the wider end where one begins with a zero; nothing where this is no range.
fn range(inner: &str) -> Result<Option<Vec<String>>, String> {
    let Some((from, to)) = inner.split_once("..") else {
        return Ok(None);
    };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_number.then(|| text.parse::<u64>().ok()).flatten();
        number.ok_or_else(|| format!("`{{{inner}}}` is not a range of numbers such as {{000..099}}"))
    };
    let (first, last) = (number(from)?, number(to)?);
    if first.abs_diff(last) >= MOST as u64 {
        return Err(format!("`{{{inner}}}` stands for more than {MOST} files"));
    }
    let is_padded = |text: &str| text.len() > 1 && text.starts_with('0');
    let width = match is_padded(from) || is_padded(to) {
        true => from.len().max(to.len()),
        false => 0,
    };
    let written = |number: u64| format!("{number:0width$}");
    Ok(Some(match first <= last {
        true => (first..=last).map(written).collect(),
        false => (last..=first).rev().map(written).collect(),
    }))
}

/// The texts between commas, each of which may have braces of its own.
fn alternatives(inner: &str) -> Result<Vec<String>, String> {
    let (mut parts, mut open, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in inner.char_indices() {
        open += i32::from(letter == '{') - i32::from(letter == '}');
        if letter == ',' && open == 0 {
            parts.push(&inner[start..at]);
            start = at + 1;
        }
    }
    if parts.is_empty() {
        return Err(format!(
            "`{{{inner}}}` has neither a comma nor a range such as 000..099"
        ));
    }
    parts.push(&inner[start..]);
    let expanded = parts.into_iter().map(expand);
    Ok(expanded.collect::<Result<Vec<_>, _>>()?.concat())
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn braces_expand_as_in_bash() {
        let cases: [(&str, &[&str]); 6] = [
            ("a.tar", &["a.tar"]),
            ("a-{008..010}.tar", &["a-008.tar", "a-009.tar", "a-010.tar"]),
            ("{9..11}", &["9", "10", "11"]),
            ("{2..0}", &["2", "1", "0"]),
            ("{a,b}-{0..1}", &["a-0", "a-1", "b-0", "b-1"]),
            ("{x,y{1,2}}/z", &["x/z", "y1/z", "y2/z"]),
        ];
        for (pattern, expected) in cases {
            assert_eq!(expand(pattern).unwrap(), expected, "{pattern}");
        }
    }

    #[test]
    fn braces_that_mean_nothing_are_errors() {
        let cases = [
            ("a-{0..9.tar", "`a-{0..9.tar` has a `{` without its `}`"),
            ("{a..c}", "`{a..c}` is not a range of numbers such as {000..099}"),
            ("{abc}", "`{abc}` has neither a comma nor a range such as 000..099"),
            ("{0..9999999}", "`{0..9999999}` stands for more than 1000000 files"),
            (
                "{0..9999}{0..9999}",
                "`{0..9999}{0..9999}` stands for 100000000 files; at most 1000000 are read",
            ),
        ];
        for (pattern, expected) in cases {
            assert_eq!(expand(pattern).unwrap_err(), expected);
        }
    }
}
