//! Keys by their last name.

use super::{Eval, Experiment, Train};
use fmicl_core::registry::fields;

/// The dotted key of an experiment's option that is called so, at the top level or in `[train]` or `[eval]`.
pub(crate) fn key_named(name: &str) -> Option<String> {
    let sections = [
        ("", fields::<Experiment>()),
        ("train.", fields::<Train>()),
        ("eval.", fields::<Eval>()),
    ];
    let (section, _) = sections.into_iter().find(|(_, keys)| keys.contains(&name))?;
    Some(format!("{section}{name}"))
}
