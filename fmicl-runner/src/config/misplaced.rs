//! Keys that are known, and stand where they are not.

use super::{Eval, Experiment, Train};
use fmicl_core::registry::{self, fields};
use fmicl_core::{Error, Evaluation};

/// An error about an unknown key, with the place where that key is known, if there is one; others pass unchanged.
pub(super) fn placed(error: Error) -> Error {
    let Error::Config { key, message } = &error else {
        return error;
    };
    let name = key.rsplit('.').next().unwrap_or_default();
    // What a part has not is hardly meant for an evaluation, whatever its name.
    let in_a_part = key.contains('.') && !key.starts_with("train.") && !key.starts_with("eval.");
    match home_of(name, in_a_part) {
        Some(home) if message.starts_with("unknown key") => Error::config(format!("unknown key here; {home}")).at(key),
        _ => error,
    }
}

/// Where a key of that name stands, that was found `in_a_part` or elsewhere.
fn home_of(name: &str, in_a_part: bool) -> Option<String> {
    if fields::<Experiment>().contains(&name) {
        return Some(format!("`{name}` stands at the top level, above the first [table]"));
    }
    let evaluations: Vec<_> = registry::list::<dyn Evaluation>()
        .iter()
        .map(|part| part.name)
        .collect();
    let sections = [
        ("train", fields::<Train>()),
        ("eval", fields::<Eval>()),
        ("evaluations", &evaluations),
    ];
    let sections = if in_a_part { &sections[..1] } else { &sections };
    let section = sections.iter().find(|(_, keys)| keys.contains(&name))?.0;
    Some(format!("write it as `{section}.{name}`"))
}
