//! Panics turned into errors: those of libtorch, which panics at an invalid shape or size, and of crates that read
//! hostile files.

use crate::Error;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// `true` if this thread's panics are reported by their return value only.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Returns true within [`quietly`], where a panic hook should print nothing.
pub fn is_quiet() -> bool {
    QUIET.get()
}

/// Runs `f` and returns its panic as one line; a hook that asks [`is_quiet`] does not print it.
pub fn quietly<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    QUIET.set(before);
    result.map_err(|payload| message(&*payload))
}

/// Runs `f` and turns a panic, by which libtorch refuses a shape or a size, into a config error that begins with
/// `what`.
///
/// # Errors
/// [`Error::Config`] for a panic, and errors of `f`.
pub fn refused<T>(what: &str, f: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    quietly(f).unwrap_or_else(|why| Err(Error::config(format!("{what}: {why}"))))
}

/// First line of a panic's message. A libtorch error is quoted, with its C++ stack trace after an escaped line end.
pub fn message(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    match text.split_once("Torch(\"") {
        Some((_, quoted)) => {
            let line = quoted.split("\\n").next().unwrap_or(quoted);
            libtorch(&line.trim_end_matches("\")").replace("\\\"", "\""))
        }
        None => text.lines().next().unwrap_or(text).to_string(),
    }
}

/// Shortens libtorch's message of a failed allocation on the CPU, which has its own file and line, an assertion and the
/// bytes.
fn libtorch(line: &str) -> String {
    let bytes = line
        .split_once("you tried to allocate ")
        .and_then(|(_, rest)| rest.split(' ').next());
    match bytes.and_then(|bytes| bytes.parse::<u64>().ok()) {
        Some(bytes) => format!(
            "libtorch: one tensor takes {} MiB, more memory than there is",
            bytes >> 20
        ),
        None => format!("libtorch: {line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, Tensor};

    #[test]
    fn a_libtorch_error_is_its_first_line() {
        let ones = |n: i64| Tensor::ones([n], (Kind::Float, Device::Cpu));
        let message = quietly(|| ones(2) + ones(3)).unwrap_err();
        let expected =
            "libtorch: The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0";
        assert_eq!(message, expected);
    }

    #[test]
    fn memory_that_there_is_not_is_said_in_mib() {
        let message = quietly(|| Tensor::ones([1 << 50], (Kind::Int8, Device::Cpu))).unwrap_err();
        assert_eq!(
            message,
            "libtorch: one tensor takes 1073741824 MiB, more memory than there is"
        );
    }

    #[test]
    fn a_panic_is_its_first_line() {
        assert_eq!(quietly(|| panic!("one\ntwo")).unwrap_err(), "one");
        assert_eq!(quietly(|| 3), Ok(3));
    }
}
