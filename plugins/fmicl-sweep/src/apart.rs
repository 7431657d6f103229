//! That each label of a table is true: nothing is set over what an axis sets.

use super::axis::Point;
use fmicl_core::Result;
use fmicl_runner::config::Change;

/// Checks that no two axes set the same key, or one a key within the other's.
///
/// # Errors
/// The first that does, at its line.
pub fn require_apart(axes: &[(&str, Vec<Point>)]) -> Result<()> {
    for (index, axis) in axes.iter().enumerate() {
        for change in changes(axis) {
            for before in &axes[..index] {
                let own = touched(change);
                let Some(other) = changes(before).map(touched).find(|other| are_nested(own, other)) else {
                    continue;
                };
                let what = if own == other {
                    "it".to_string()
                } else {
                    format!("`{other}`")
                };
                return Err(change.wrong(&format!(
                    "the axis `{}` sets {what}, too, and labels of values without effect would be in the table; let one \
                     axis set both, by values such as {{ label = \"a\", set = [\"key=value\", ...] }}",
                    before.0
                )));
            }
        }
    }
    Ok(())
}

/// Checks that no `--set` is laid over what an axis sets.
///
/// # Errors
/// The first that is.
pub fn require_untouched(axes: &[(&str, Vec<Point>)], sets: &[Change]) -> Result<()> {
    for set in sets {
        let is_over = |change: &&Change| {
            is_within(touched(change), set.key()) || change.says(set.key()) || {
                // Which keys the file has that a table extends is not looked at.
                is_extended(change) && is_within(set.key(), touched(change))
            }
        };
        if let Some((name, _)) = axes.iter().find(|axis| changes(axis).any(|change| is_over(&change))) {
            return Err(set.wrong(&format!(
                "the axis `{name}` sets it, and its labels would not be true; choose among its values with --only, or give \
                 it others at a scale"
            )));
        }
    }
    Ok(())
}

fn changes<'a>(axis: &'a (&str, Vec<Point>)) -> impl Iterator<Item = &'a Change> {
    axis.1.iter().flat_map(|point| &point.sets)
}

/// The key of what a change touches: of a file that a table extends, the table.
fn touched(change: &Change) -> &str {
    change.key().strip_suffix(".extends").unwrap_or(change.key())
}

fn is_extended(change: &Change) -> bool {
    touched(change) != change.key()
}

fn are_nested(one: &str, other: &str) -> bool {
    is_within(one, other) || is_within(other, one)
}

/// Returns true if the first key is the second, or within it.
fn is_within(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
