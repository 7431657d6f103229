//! Negative numbers for counts: they are out of the range that 0 is out of.

use super::tree::Node;
use super::{Experiment, parse};
use fmicl_core::{Error, Problem, registry};

/// An error about a negative number that its type cannot hold, in the words that its range has for 0; others pass
/// unchanged, as where 0 is allowed.
pub(super) fn out_of_range(error: Error, source: &Node) -> Error {
    let Error::Config {
        key,
        problem: Problem::BelowZero { found, .. },
    } = &error
    else {
        return error;
    };
    match of_zero(key, source).as_deref().and_then(|zero| zero.strip_prefix("0 ")) {
        Some(range) => Error::config(format!("{found} {range}")).at(key),
        None => error,
    }
}

/// What would be wrong with a 0 at the key.
fn of_zero(key: &str, source: &Node) -> Option<String> {
    let zero = parse::set(&format!("{key}=0"), None).ok()?.over(source.clone());
    let toml::Value::Table(table) = zero.to_toml() else {
        return None;
    };
    let wrong = match registry::read_options::<Experiment>(table) {
        Ok(experiment) => experiment.validate(),
        Err(error) => vec![error],
    };
    wrong.into_iter().find_map(|error| match error {
        Error::Config { key: at, problem } if at == key => Some(problem.at(key)),
        _ => None,
    })
}
