//! Keys that are known, and stand where they are not.

use super::Experiment;
use fmicl_core::registry::{Known, tables};
use fmicl_core::{Error, Problem};

/// An error about an unknown key, with the places where that key is known, if there are any; others pass unchanged.
pub(super) fn placed(error: Error, written: &toml::Table) -> Error {
    let Error::Config {
        key,
        problem: Problem::UnknownKey { .. },
    } = &error
    else {
        return error;
    };
    let (found_in, name) = key.rsplit_once('.').unwrap_or(("", key));
    let mut homes = tables::<Experiment>(written);
    let others = homes
        .iter()
        .find(|home| home.at == found_in)
        .and_then(|home| others(home, name));
    homes.retain(|home| home.keys.contains(&name) && fits(home, found_in));
    let rank = |home: &Known| rank(&home.at, found_in);
    let least = homes.iter().map(rank).min();
    homes.retain(|home| Some(rank(home)) == least);
    match &homes[..] {
        [] => match others {
            Some(others) => Error::config(format!("unknown key here; {others}")).at(key),
            None => error,
        },
        [top, ..] if top.at.is_empty() => Error::config(format!(
            "unknown key here; `{name}` belongs at the top level, above the first [table]"
        ))
        .at(key),
        homes => {
            let homes: Vec<String> = homes.iter().map(|home| format!("`{}.{name}`", home.at)).collect();
            // A key of a part within is surely that.
            let others = others.filter(|_| least != Some(BELOW));
            let others = others.map(|others| format!("; {others}")).unwrap_or_default();
            Error::config(format!("unknown key here; write it as {}{others}", homes.join(" or "))).at(key)
        }
    }
}

/// The other parts of its kind that have an option of this name, in words.
fn others(part: &Known, name: &str) -> Option<String> {
    let kind = part.kind?;
    let with = (kind.list)().into_iter().filter(|part| part.options.contains(&name));
    let names: Vec<_> = with.map(|part| format!("`{}`", part.name)).collect();
    (!names.is_empty()).then(|| format!("the {} with an option `{name}` is {}", kind.name, names.join(" or ")))
}

fn is_of(table: &str, section: &str) -> bool {
    table.split('.').next() == Some(section)
}

fn is_of_evaluation(table: &str) -> bool {
    is_of(table, "eval") || is_of(table, "evaluations")
}

/// Returns true if a key that was found in a table may be meant for this one: a part's is hardly meant for the evaluation,
/// and that of a part within a part hardly for a part elsewhere.
fn fits(home: &Known, found_in: &str) -> bool {
    let in_a_part = !found_in.is_empty() && !is_of(found_in, "train") && !is_of_evaluation(found_in);
    let section = found_in.split_once('.').map(|(section, _)| section);
    let elsewhere =
        section.is_some_and(|section| !home.at.is_empty() && !is_of(&home.at, "train") && !is_of(&home.at, section));
    !(in_a_part && (elsewhere || is_of_evaluation(&home.at)))
}

/// The rank of what is below the table.
const BELOW: usize = 0;

/// Where a key that was found in a table is looked for first: below that table, then in the whole experiment, the training,
/// the parts, the evaluation.
fn rank(at: &str, found_in: &str) -> usize {
    let below = at.strip_prefix(found_in).is_some_and(|rest| rest.starts_with('.'));
    match at {
        _ if below && !found_in.is_empty() => BELOW,
        "" => 1,
        at if is_of(at, "train") => 2,
        at if is_of_evaluation(at) => 4,
        _ => 3,
    }
}
