//! Lines on a terminal: broken between words, at its width. What goes to a file or a pipe is left whole.

use rustix::fd::AsFd;
use rustix::termios::tcgetwinsize;
use std::io::{self, Write};
use textwrap::{Options, WordSplitter, fill};

/// The columns of a terminal; none where it is none, or does not say.
pub fn width(of: impl AsFd) -> Option<usize> {
    let columns = tcgetwinsize(of).ok()?.ws_col;
    (columns > 0).then_some(columns.into())
}

/// The text with each of its lines broken at `width`, if there is one; what goes on is `indent` further in than its line.
/// A word longer than that stays whole.
pub fn wrapped(text: &str, width: Option<usize>, indent: usize) -> String {
    let Some(width) = width else { return text.to_string() };
    let line = |line: &str| {
        let words = line.trim_start_matches(' ');
        let first = " ".repeat(line.len() - words.len());
        let next = " ".repeat(first.len() + indent);
        let options = Options::new(width).initial_indent(&first).subsequent_indent(&next);
        fill(
            words,
            options.break_words(false).word_splitter(WordSplitter::NoHyphenation),
        )
    };
    let lines: Vec<_> = text.split('\n').map(line).collect();
    lines.join("\n")
}

/// The columns that a text takes on a terminal.
pub fn columns(text: &str) -> usize {
    textwrap::core::display_width(text)
}

/// Prints a text on stdout, [`wrapped`].
///
/// # Errors
/// That stdout is closed.
pub fn print(text: &str, indent: usize) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let text = wrapped(text, width(&stdout), indent);
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Stderr, where each line that is written at once is [`wrapped`].
#[derive(Debug, Default)]
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stderr = io::stderr().lock();
        match (width(&stderr), std::str::from_utf8(bytes)) {
            (Some(width), Ok(text)) => stderr.write_all(wrapped(text, Some(width), 2).as_bytes())?,
            _ => stderr.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_go_on_further_in() {
        let text = "error: a file\n  x  two  half-way there\n\nend\n";
        assert_eq!(
            wrapped(text, Some(14), 4),
            "error: a file\n  x  two\n      half-way\n      there\n\nend\n"
        );
        assert_eq!(wrapped(text, None, 4), text);
        // Of no use to whoever copies it, if it were broken.
        assert_eq!(
            wrapped("in /a/long-path/of-words here", Some(8), 2),
            "in\n  /a/long-path/of-words\n  here"
        );
    }

    #[test]
    fn colours_take_no_room() {
        let line = "\u{1b}[33mWARN\u{1b}[0m ab cd";
        assert_eq!(wrapped(line, Some(10), 2), line);
        assert_eq!(wrapped(line, Some(9), 2), "\u{1b}[33mWARN\u{1b}[0m ab\n  cd");
    }
}
