//! Lists of names.

use fmicl_core::registry;

/// What there is in place of what is not there, such as `` (did you mean `a`?); scales: a, b``.
pub fn among(found: &str, what: &str, known: &[&str]) -> String {
    match known {
        [] => format!("; the sweep has no {what}"),
        known => format!("{}; {what}: {}", registry::did_you_mean(found, known), known.join(", ")),
    }
}

/// The items without repetitions, each where it is first.
pub fn unique<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
