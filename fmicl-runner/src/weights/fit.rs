//! Comparison of a file's tensors with a network's variables.

use fmicl_core::tch::Tensor;
use std::collections::HashMap;
use std::fmt;

/// Most names of each kind in an error.
const NAMED: usize = 5;

/// Differences between a file's tensors and a network's variables; at least one list is not empty.
#[derive(Debug)]
pub struct Misfit {
    missing: Vec<String>,
    unexpected: Vec<String>,
    reshaped: Vec<String>,
    /// Whole numbers for fractions, or the reverse; fractions of another precision are converted.
    retyped: Vec<String>,
}

impl Misfit {
    /// Describes the differences; `None` if there are none.
    pub fn between(variables: &HashMap<String, Tensor>, tensors: &HashMap<String, Tensor>) -> Option<Self> {
        let without = |these: &HashMap<String, Tensor>, those: &HashMap<String, Tensor>| {
            sorted(these.keys().filter(|name| !those.contains_key(*name)).cloned())
        };
        let both = || {
            let pair = |(name, var)| Some((name, var, tensors.get(name)?));
            variables.iter().filter_map(pair)
        };
        let reshaped = both()
            .filter(|(_, var, found)| var.size() != found.size())
            .map(|(name, var, found)| format!("{name} ({:?} instead of {:?})", found.size(), var.size()));
        let retyped = both()
            .filter(|(_, var, found)| var.is_floating_point() != found.is_floating_point())
            .map(|(name, var, found)| format!("{name} ({:?} instead of {:?})", found.kind(), var.kind()));
        let misfit = Misfit {
            missing: without(variables, tensors),
            unexpected: without(tensors, variables),
            reshaped: sorted(reshaped),
            retyped: sorted(retyped),
        };
        let fits = misfit.lists().all(|(_, names)| names.is_empty());
        (!fits).then_some(misfit)
    }

    fn lists(&self) -> impl Iterator<Item = (&'static str, &Vec<String>)> {
        [
            ("missing", &self.missing),
            ("unexpected", &self.unexpected),
            ("of another shape", &self.reshaped),
            ("of another type", &self.retyped),
        ]
        .into_iter()
    }
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

impl fmt::Display for Misfit {
    /// `missing: a, b; unexpected: c, d, e, f, g and 3 more`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let lists = self.lists().filter(|(_, names)| !names.is_empty());
        let lists: Vec<_> = lists
            .map(|(what, names)| format!("{what}: {}", shorten(names)))
            .collect();
        f.write_str(&lists.join("; "))
    }
}

/// The first names and how many there are beside them.
pub fn shorten(names: &[String]) -> String {
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}
