//! The experiment file: its schema, how files and `--set` become one, and where each value came from.

mod broken;
mod change;
mod eval;
mod evaluations;
mod experiment;
mod extends;
mod given;
mod keys;
mod leaves;
mod load;
mod misplaced;
mod parse;
#[cfg(test)]
mod tests;
mod train;
mod tree;
mod twice;

pub use change::Change;
pub use eval::Eval;
pub use evaluations::Evaluations;
pub use experiment::Experiment;
pub(crate) use experiment::launched;
pub(crate) use keys::key_named;
pub use leaves::leaves;
pub use load::{Base, load, load_all, load_part, load_text, read_file_as};
pub(crate) use load::{change, read_changed};
pub use train::{OnCollapse, OnNan, Train};
pub use tree::{Node, Origin};

use fmicl_core::{Error, require};

/// The key of a `key=value` of the command line, which may be no such thing.
pub(crate) fn key_of(set: &str) -> &str {
    set.split('=').next().unwrap_or_default().trim()
}

/// The text of a config.
///
/// # Errors
/// [`Error::Config`] where a value has no form in TOML.
pub fn write(config: &toml::Table) -> fmicl_core::Result<String> {
    toml::to_string(config).map_err(|error| Error::config(error.to_string()))
}

/// The checks that fail, as errors.
fn failed<const N: usize>(checks: [fmicl_core::Result<()>; N]) -> Vec<Error> {
    checks.into_iter().filter_map(Result::err).collect()
}

fn at_least_one(value: usize, key: &str) -> fmicl_core::Result<()> {
    require(value >= 1, key, || "0 is not at least 1".to_string())
}

fn positive(value: f64, key: &str) -> fmicl_core::Result<()> {
    require((1e-12..=1e9).contains(&value), key, || {
        format!("{value} is not from 1e-12 to 1e9")
    })
}

fn not_negative(value: f64, key: &str) -> fmicl_core::Result<()> {
    require((0.0..=1e9).contains(&value), key, || {
        format!("{value} is not from 0 to 1e9")
    })
}
