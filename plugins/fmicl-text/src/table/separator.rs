//! Which character separates the fields of a table.

use csv::ReaderBuilder;

/// Rows that are looked at.
const ROWS: usize = 50;

/// A tab where the first line has several, or one and no comma: a sentence may hold commas, and seldom a tab. Else a comma; but a semicolon or a bar where that alone divides every
/// one of the first rows into as many fields.
pub(super) fn of(bytes: &[u8]) -> u8 {
    let first = bytes
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or_default();
    let count = |separator| memchr::memchr_iter(separator, first).count();
    if count(b'\t') > 1 || (count(b'\t') == 1 && count(b',') == 0) {
        return b'\t';
    }
    let others = [b';', b'|'].into_iter();
    match divides(bytes, b',') {
        true => b',',
        false => others
            .clone()
            .find(|separator| divides(bytes, *separator))
            .unwrap_or(b','),
    }
}

/// Returns true if the first rows have as many fields each, at least two.
fn divides(bytes: &[u8], separator: u8) -> bool {
    let reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(bytes);
    let mut rows = reader.into_byte_records().take(ROWS);
    let width = rows.next().and_then(Result::ok).map_or(0, |row| row.len());
    width > 1 && rows.all(|row| row.is_ok_and(|row| row.len() == width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_and_bars_separate_where_commas_do_not() {
        for (text, expected) in [
            ("a,b,1\nc,d,2\n", b','),
            ("a;b;1\nc;d;2\n", b';'),
            ("a|b|1\nc|d|2\n", b'|'),
            // Commas in sentences and in numbers.
            ("Un chien, brun;Un animal;4,5\nUn chat;Un animal;4\n", b';'),
            ("\"A; b\",c,1\nd,\"e, f\",2\n", b','),
            ("A dog; it runs,\"B; c\",1\nd;e,f;g,2\n", b','),
            ("a\tb, c\td\n", b'\t'),
            ("\n\na\tb\n", b'\t'),
            ("a\tb, c\n", b','),
            // Nothing divides them all: a row that is not as it should be is an error of its own.
            ("a,b\nc,d,e\n", b','),
            ("alone\n", b','),
            ("", b','),
        ] {
            assert_eq!(of(text.as_bytes()) as char, expected as char, "{text}");
        }
    }
}
