//! What separates the columns of a table: not a comma in a `.csv` of every spreadsheet.

use csv::{ReaderBuilder, StringRecord};

/// What is looked for beside the expected one.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The separator with which the first row has a column of this name, in letters of any case; `expected` where that has it, or
/// none.
pub(super) fn of(text: &str, expected: u8, column: &str) -> u8 {
    let has_it = |&separator: &u8| {
        let mut first = StringRecord::new();
        let is_there = reader(text, separator).read_record(&mut first);
        is_there.is_ok() && first.iter().any(|name| name.trim().eq_ignore_ascii_case(column))
    };
    let mut all = std::iter::once(expected).chain(SEPARATORS);
    all.find(has_it).unwrap_or(expected)
}

/// A reader of all rows, the first among them. Between tabs a quotation mark is a letter.
pub(super) fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .quoting(separator != b'\t')
        .from_reader(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_first_row_tells_by_the_name_of_a_column() {
        for (text, expected, found) in [
            ("path,label\na;b,c\n", b',', b','),
            ("label;path\nx;a,b\n", b',', b';'),
            ("\"label\";\" Path \"\n", b',', b';'),
            ("label\tpath\n", b',', b'\t'),
            ("label,path\n", b'\t', b','),
            ("label|path\n", b'\t', b'|'),
            ("path\na;b\n", b',', b','),
            ("a;b\n", b',', b','),
            ("", b'\t', b'\t'),
        ] {
            assert_eq!(of(text, expected, "path") as char, found as char, "{text:?}");
        }
    }
}
