//! Where the numbers of a table come from: what is the same for all of its runs, and what is not.

use fmicl_runner::run::provenance::{Segment, distinct};
use std::collections::BTreeSet;

/// What is compared, and told in `results.csv`: of [`Segment::decisive`].
pub const KEYS: [&str; 8] = Segment::DECISIVE;

/// The runs that a line names; there may be thousands.
const NAMED: usize = 3;

/// The values that a run's segments have, mostly one.
pub fn values(segments: &[Segment], key: &str) -> String {
    distinct(segments, |segment| {
        let mut values = segment.decisive().into_iter();
        values
            .find(|(name, _)| *name == key)
            .map_or(String::new(), |(_, value)| value)
    })
}

/// A line of what all runs share, and one of what they do not; `finished` are their titles and segments.
pub fn lines(finished: &[(String, Vec<Segment>)]) -> Vec<String> {
    let (mut same, mut other) = (Vec::new(), Vec::new());
    for key in KEYS {
        let of = |(title, segments): &(String, Vec<Segment>)| (values(segments, key), title.clone());
        let runs: Vec<(String, String)> = finished.iter().map(of).collect();
        let distinct: BTreeSet<&String> = runs.iter().map(|(value, _)| value).collect();
        match distinct.iter().next() {
            Some(value) if distinct.len() == 1 && !value.contains(", then ") => {
                if !value.is_empty() {
                    same.push(format!("{key} {value}"));
                }
            }
            _ => {
                let value = |value: &&String| {
                    let runs = runs.iter().filter(|(own, _)| own == *value);
                    let titles: Vec<&str> = runs.map(|(_, title)| &**title).collect();
                    format!(
                        "{} in {}",
                        if value.is_empty() { "unknown" } else { value },
                        named(&titles)
                    )
                };
                let values: Vec<String> = distinct.iter().map(value).collect();
                other.push(format!("{key}: {}", values.join("; ")));
            }
        }
    }
    let mut lines = Vec::new();
    if !same.is_empty() {
        lines.push(format!("All runs: {}.", same.join(", ")));
    }
    if !other.is_empty() {
        lines.push(format!(
            "Not the same in all runs, which can change numbers: {}.",
            other.join(". ")
        ));
    }
    lines
}

/// The first runs by their titles, and how many more.
fn named(titles: &[&str]) -> String {
    let first: Vec<String> = titles.iter().take(NAMED).map(|title| format!("`{title}`")).collect();
    match titles.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
