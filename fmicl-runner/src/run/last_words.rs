//! The error with which the last command on a run ended, as its log has it.

use fmicl_core::open_file;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// The beginning of what is said of a run that a signal stopped.
pub const STOPPED_BY: &str = "stopped by ";

/// The bytes at the end of a log in which it is looked for.
const TAIL: u64 = 1 << 16;
/// What begins the line of a command's start, and of an error, behind the time.
const STARTED: &str = "  INFO started ";
const ERROR: &str = " ERROR ";

/// The last whole lines of a file of text, of its last 64 KiB; none where there is no such file.
pub fn last_lines(path: &Path) -> Vec<String> {
    let read = || -> Option<Vec<u8>> {
        let mut file = open_file(path, "").ok()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes).ok()?;
        // The line in whose middle the tail begins.
        let whole = bytes.iter().position(|&byte| byte == b'\n').filter(|_| length > TAIL);
        bytes.drain(..whole.map_or(0, |end| end + 1));
        Some(bytes)
    };
    let bytes = read().unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().map(str::to_string).collect()
}

/// The first error of the last command in a run's log; nothing where it had none.
pub(super) fn last_words(log: &Path) -> Option<String> {
    let lines = last_lines(log);
    let begun = lines.iter().rposition(|line| is_of(line, STARTED)).unwrap_or(0);
    let error = lines[begun..].iter().find(|line| is_of(line, ERROR))?;
    Some(error.split_once(ERROR)?.1.to_string())
}

/// Whether a line has the mark right behind its time.
fn is_of(line: &str, mark: &str) -> bool {
    line.find(' ').is_some_and(|end| line[end..].starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_the_last_command_counts_and_none_of_those_before() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.txt");
        let words = |text: &str| {
            std::fs::write(&log, text).unwrap();
            last_words(&log)
        };
        assert_eq!(last_words(&log), None);
        let failed = "t  INFO started 1\nt ERROR the disk\nt ERROR again\n";
        assert_eq!(words(failed).as_deref(), Some("the disk"));
        assert_eq!(
            words(&format!("{failed}t  INFO started 2\nt  WARN what ERROR said\n")),
            None
        );
        // Of a long log the end is read.
        let long = format!("t ERROR old\n{}t ERROR new\n", "t  INFO epoch\n".repeat(10_000));
        assert_eq!(words(&long).as_deref(), Some("new"));
    }
}
