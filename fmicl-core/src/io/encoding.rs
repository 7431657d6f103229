//! Text files: UTF-8, or an error that names the encoding and the command that converts it.

use crate::{Error, Result};
use std::cmp::Ordering;
use std::path::Path;

/// Bytes that are looked at to tell an encoding.
const LOOKED_AT: usize = 1 << 16;

/// Byte-order mark of UTF-8, with which spreadsheets begin a file.
pub const MARK: &[u8] = b"\xef\xbb\xbf";

/// An encoding by iconv's name, where the first bytes are its byte-order mark.
fn marked(bytes: &[u8]) -> Option<&'static str> {
    // UTF-32's little-endian mark begins as UTF-16's.
    [
        (&b"\xff\xfe\0\0"[..], "utf-32"),
        (b"\0\0\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ]
    .into_iter()
    .find_map(|(mark, name)| bytes.starts_with(mark).then_some(name))
}

/// The encoding of bytes without a mark that are not UTF-8, or have a NUL; most likely.
fn guessed(bytes: &[u8]) -> Option<&'static str> {
    let bytes = &bytes[..bytes.len().min(LOOKED_AT)];
    let zeros = memchr::memchr_iter(0, bytes).count();
    // The cut may go through a character.
    let is_utf8 = std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true);
    // A few NULs among letters are no encoding.
    if zeros == 0 || (4 * zeros < bytes.len() && is_utf8) {
        return None;
    }
    let fours = bytes.as_chunks::<4>().0;
    let is_utf32 = |read: fn([u8; 4]) -> u32| {
        !fours.is_empty()
            && fours
                .iter()
                .all(|four| char::from_u32(read(*four)).is_some_and(|c| c != '\0'))
    };
    if is_utf32(u32::from_le_bytes) {
        return Some("utf-32le");
    }
    if is_utf32(u32::from_be_bytes) {
        return Some("utf-32be");
    }
    // Text of any script has spaces and line ends, and most have other ASCII.
    let likeness = |read: fn([u8; 2]) -> u16| {
        let units = || bytes.as_chunks::<2>().0.iter().map(|two| read(*two));
        let spaces = units().filter(|unit| [0x20, 0x0a].contains(unit)).count();
        (spaces, units().filter(|unit| (0x20..0x7f).contains(unit)).count())
    };
    let (little, big) = (likeness(u16::from_le_bytes), likeness(u16::from_be_bytes));
    match little.cmp(&big) {
        Ordering::Greater => Some("utf-16le"),
        Ordering::Less => Some("utf-16be"),
        Ordering::Equal => None,
    }
}

/// Checks that a file's bytes do not begin with the byte-order mark of UTF-16 or UTF-32.
///
/// # Errors
/// [`Error::Data`] with the encoding.
pub fn require_no_other_mark(bytes: &[u8], path: &Path) -> Result<()> {
    let Some(name) = marked(bytes) else { return Ok(()) };
    let message = format!(
        "is {}, by its byte-order mark, not UTF-8; convert the file: `iconv -f {name} -t utf-8`",
        name.to_uppercase()
    );
    Err(Error::data(path, message))
}

/// The text of a file's bytes, without the mark of UTF-8.
///
/// # Errors
/// [`Error::Data`] for another encoding and for a NUL, with the line and what converts the file.
pub fn whole<'a>(bytes: &'a [u8], path: &Path) -> Result<&'a str> {
    require_no_other_mark(bytes, path)?;
    let text = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let (end, nul) = match (std::str::from_utf8(text), memchr::memchr(0, text)) {
        (Ok(text), None) => return Ok(text),
        (_, Some(nul)) => (nul, true),
        (Err(error), None) => (error.valid_up_to(), false),
    };
    let line = 1 + memchr::memchr_iter(b'\n', &text[..end]).count() as u64;
    Err(no_text(path, line, bytes, nul))
}

/// Error for a line that is not UTF-8 or has a NUL; `bytes` are the whole file's.
pub fn no_text(path: &Path, line: u64, bytes: &[u8], nul: bool) -> Error {
    let message = match (guessed(bytes), nul) {
        (Some(name), _) => format!(
            "line {line} is not UTF-8, and looks like {} without a byte-order mark; convert the file: `iconv -f {name} -t utf-8`",
            name.to_uppercase()
        ),
        (None, true) => format!("line {line} has a NUL character; `tr -d '\\0'` removes them"),
        (None, false) => {
            format!("line {line} is not UTF-8; convert the file, such as with `iconv -f latin1 -t utf-8`")
        }
    };
    Error::data(path, message)
}

/// The text of a line of a file, of which `number` is the line's and `bytes` are all.
///
/// # Errors
/// As [`no_text`] says.
pub fn text<'a>(line: &'a [u8], path: &Path, number: u64, bytes: &[u8]) -> Result<&'a str> {
    let nul = memchr::memchr(0, line).is_some();
    match std::str::from_utf8(line) {
        Ok(text) if !nul => Ok(text),
        _ => Err(no_text(path, number, bytes, nul)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encoding of a text by iconv.
    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let pair = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(pair).collect()
    }

    fn utf32(text: &str, big: bool) -> Vec<u8> {
        let four = |c: char| {
            if big {
                u32::from(c).to_be_bytes()
            } else {
                u32::from(c).to_le_bytes()
            }
        };
        text.chars().flat_map(four).collect()
    }

    #[test]
    fn utf_16_and_32_are_told_by_their_marks_and_without_them_in_any_script() {
        for text in [
            "A dog runs.\nIt is brown.\n",
            "Sobaka \u{441}\u{43e}\u{431}\u{430}\u{43a}\u{430} .\n",
            "\u{4e00}\u{53ea}\u{72d7}\u{3002}\n\u{72d7}\u{5728}\u{8dd1}\u{3002}\n",
        ] {
            for (name, bytes) in [
                ("utf-16le", utf16(text, false)),
                ("utf-16be", utf16(text, true)),
                ("utf-32le", utf32(text, false)),
                ("utf-32be", utf32(text, true)),
            ] {
                assert_eq!(guessed(&bytes), Some(name), "{text}");
                assert_eq!(marked(&bytes), None);
            }
            let with_mark = format!("\u{feff}{text}");
            for (name, bytes) in [
                ("utf-16", utf16(&with_mark, false)),
                ("utf-16", utf16(&with_mark, true)),
                ("utf-32", utf32(&with_mark, false)),
                ("utf-32", utf32(&with_mark, true)),
            ] {
                assert_eq!(marked(&bytes), Some(name));
            }
            assert_eq!((marked(text.as_bytes()), guessed(text.as_bytes())), (None, None));
        }
    }

    #[test]
    fn a_nul_in_a_long_text_is_no_encoding_wherever_the_look_ends() {
        for start in ["a\0", "a\0b"] {
            let text = start.to_string() + &"\u{e9}".repeat(LOOKED_AT);
            assert_eq!(guessed(text.as_bytes()), None, "{start:?}");
        }
    }

    #[test]
    fn a_whole_file_is_text_or_an_error_with_its_line() {
        let error = |bytes: &[u8]| whole(bytes, Path::new("x")).unwrap_err().to_string();
        assert_eq!(whole("\u{feff}a\nb".as_bytes(), Path::new("x")).unwrap(), "a\nb");
        assert_eq!(
            error(&utf16("\u{feff}a\n", false)),
            "x: is UTF-16, by its byte-order mark, not UTF-8; convert the file: `iconv -f utf-16 -t utf-8`"
        );
        assert!(error(&utf16("a dog\nruns\n", true)).starts_with("x: line 1 is not UTF-8, and looks like UTF-16BE "));
        let latin = b"a\nb\ncaf\xe9 au lait\n";
        assert!(error(latin).starts_with("x: line 3 is not UTF-8; convert the file, such as with `iconv -f latin1"));
        let nul = [b"a\n", &b"a dog runs. ".repeat(9)[..], b"\0\n"].concat();
        assert_eq!(error(&nul), "x: line 2 has a NUL character; `tr -d '\\0'` removes them");
    }

    #[test]
    fn a_nul_is_no_text_and_utf_16_says_how_to_convert_it() {
        let error = |bytes: &[u8]| text(bytes, Path::new("x"), 3, bytes).unwrap_err().to_string();
        assert_eq!(
            error(&utf16("a dog", false)),
            "x: line 3 is not UTF-8, and looks like UTF-16LE without a byte-order mark; convert the file: `iconv -f utf-16le -t utf-8`"
        );
        let mut long = b"a dog runs, and runs. ".repeat(20);
        assert_eq!(text(&long, Path::new("x"), 3, &long).unwrap().len(), 440);
        long.push(0);
        assert_eq!(
            error(&long),
            "x: line 3 has a NUL character; `tr -d '\\0'` removes them"
        );
        assert_eq!(
            error(b"caf\xe9 au lait"),
            "x: line 3 is not UTF-8; convert the file, such as with `iconv -f latin1 -t utf-8`"
        );
    }
}
