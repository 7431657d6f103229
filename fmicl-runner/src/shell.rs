//! Commands that a message proposes.

use std::path::Path;

/// A path as a shell takes it for one word.
pub fn word(path: &Path) -> String {
    let path = path.to_string_lossy();
    let plain = |letter: char| letter.is_alphanumeric() || "_-./+,:@%=".contains(letter);
    match !path.is_empty() && path.chars().all(plain) {
        true => path.into_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_split_or_change_is_quoted() {
        let word = |path: &str| word(path.as_ref());
        assert_eq!(word("runs/ünder-1.2"), "runs/ünder-1.2");
        assert_eq!(word("my runs/$1"), "'my runs/$1'");
        assert_eq!(word(""), "''");
        assert_eq!(word("it's"), r"'it'\''s'");
    }
}
