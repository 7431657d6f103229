//! Lines of a Markdown table.

use super::summary::Summary;
use std::fmt::Write;

/// Where a table has no number.
pub const NOTHING: &str = "–";

/// A summary as a table shows it, the best one of its column in bold.
pub fn shown(summary: Option<Summary>, best: bool) -> String {
    let Some(summary) = summary else {
        return NOTHING.to_string();
    };
    let mean = summary.show(summary.mean);
    let mean = if best { format!("**{mean}**") } else { mean };
    match summary.spread {
        Some(spread) => format!("{mean} ± {}", summary.show(spread)),
        None => mean,
    }
}

/// The items, with empty ones up to a width.
pub fn padded(items: impl Iterator<Item = String>, width: usize) -> impl Iterator<Item = String> {
    items.chain(std::iter::repeat(String::new())).take(width)
}

/// Adds a line of these fields.
pub fn line(text: &mut String, fields: impl Iterator<Item = String>) {
    let fields: Vec<String> = fields.map(|field| field.replace('|', "\\|")).collect();
    let _ = writeln!(text, "| {} |", fields.join(" | "));
}
