//! Error type of the library crates: a message with the value found, its place, and a remedy.

use crate::registry::did_you_mean;
use std::path::PathBuf;

/// Shorthand for a result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Error of a part; its message is shown to the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A config value that cannot be used. `key` is the dotted path below the value that was being read
    /// (empty for the value itself); the runner adds the file and the line.
    #[error("{}", one_line(&if key.is_empty() { problem.at(key) } else { format!("{key}: {}", problem.at(key)) }))]
    Config {
        /// Dotted path, such as `objective.alpha`.
        key: String,
        /// The value found and the values that would work.
        problem: Problem,
    },
    /// Data on disk that is missing, truncated or malformed.
    #[error("{}", one_line(&format!("{}: {message}", path.display())))]
    Data {
        /// The file or folder.
        path: PathBuf,
        /// Fault found, and a remedy.
        message: String,
    },
    /// A call of the operating system failed.
    #[error("{}", one_line(&format!("{}: {source}", path.display())))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// Error of libtorch; only its first line is kept, since the rest is a C++ stack trace.
    #[error("libtorch: {}", one_line(.0))]
    Torch(String),
    /// Anything else that stops a run.
    #[error("{}", one_line(.0))]
    Run(String),
}

/// Fault of a config value: a variant for each fault that callers handle, a message for all others.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// A key that nothing reads, among those that are known there.
    UnknownKey {
        /// The keys of the table that it stands in.
        known: &'static [&'static str],
    },
    /// A key of the table that must be there.
    MissingKey(&'static str),
    /// Anything else, in words.
    Other(String),
}

impl Problem {
    /// Message for the problem at `key`; if the key is unknown, its name is the last part of `key`.
    pub fn at(&self, key: &str) -> String {
        match self {
            Problem::UnknownKey { known: [] } => "unknown key; there are no options here".into(),
            Problem::UnknownKey { known } => {
                let name = key.rsplit('.').next().unwrap_or_default();
                let hint = did_you_mean(name, known);
                format!("unknown key{hint}; known keys: {}", known.join(", "))
            }
            Problem::MissingKey(key) => format!("the key `{key}` is missing"),
            Problem::Other(words) => words.clone(),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Error::Config {
            key: String::new(),
            problem,
        }
    }
}

impl Error {
    /// A config error at the value itself; a caller that knows the key adds it with [`Error::at`].
    pub fn config(message: impl Into<String>) -> Self {
        Problem::Other(message.into()).into()
    }

    /// A dataset error about `path`.
    pub fn data(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Error::Data {
            path: path.into(),
            message: message.into(),
        }
    }

    /// An operating system error about `path`.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Error::Io {
            path: path.into(),
            source,
        }
    }

    /// An error of libtorch, whose message is followed by a C++ stack trace.
    pub fn torch(message: &str) -> Self {
        Error::Torch(message.lines().next().unwrap_or("unknown error").to_string())
    }

    /// Prefixes the key of a config error with `outer`; other errors are unchanged.
    #[must_use]
    pub fn at(self, outer: &str) -> Self {
        match self {
            Error::Config { key, problem } => Error::Config {
                key: within(outer, &key),
                problem,
            },
            other => other,
        }
    }

    /// Turns an error about a file that the config names (a dataset's folder, a file of weights) into a config error
    /// with the same message, so that it gets a line in the config. Errors that are not about a file are unchanged.
    #[must_use]
    pub fn named_in_config(self) -> Self {
        match self {
            Error::Data { .. } | Error::Io { .. } => Error::config(self.to_string()),
            other => other,
        }
    }

    /// Returns true if the config or the command line is wrong (exit code 2), false if the run failed (1).
    pub fn is_usage(&self) -> bool {
        matches!(self, Error::Config { .. })
    }
}

impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Self {
        let text = match error {
            tch::TchError::Torch(text) => text,
            other => other.to_string(),
        };
        Error::torch(&text)
    }
}

/// Escapes control characters, so that a message is one line: names in it can contain line ends and a terminal's escape
/// codes.
fn one_line(message: &str) -> String {
    let escaped = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    message.trim_end().chars().map(escaped).collect()
}

/// The dotted key of `inner` within `outer`, either of which may be a place in an array, `[1]`.
pub(crate) fn within(outer: &str, inner: &str) -> String {
    let dot = if inner.is_empty() || inner.starts_with('[') {
        ""
    } else {
        "."
    };
    format!("{outer}{dot}{inner}")
}

/// Turns a range check of an option into a config error at that option's key:
/// `require(self.alpha > 0.0, "alpha", "0.0 is not above 0")`.
pub fn require(holds: bool, key: &str, message: impl FnOnce() -> String) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Error::config(message()).at(key))
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn an_error_is_a_line_whatever_is_in_it() {
        let broken = Error::data("a\nb", "holds \u{1b}[31mred\u{1b}[0m, é\r\n");
        assert_eq!(broken.to_string(), "a\\nb: holds \\u{1b}[31mred\\u{1b}[0m, é");
        assert_eq!(Error::config("no\tpart").at("x\ny").to_string(), "x\\ny: no\\tpart");
    }
}
