//! What is watched as text, where there is no terminal.

use crate::draw::{cell, file_name, logged, of_sweep_as_a_whole};
use crate::plot::{Plot, number};
use crate::watched::Watched;
use fmicl_runner::shown;
use std::fmt::Write;
use std::time::SystemTime;

/// Lines of the log.
const OF_LOG: usize = 5;

/// A run, or a sweep with one of its runs, as lines.
pub fn text(watched: &Watched, now: SystemTime) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{line}");
    };
    let mut name = watched.name.clone();
    if watched.sweep().is_some() {
        line(&of_sweep_as_a_whole(watched));
        for (how, name) in watched.cells().0.iter().map(cell) {
            line(&format!("  {how} {name}"));
        }
    }
    let Some(run) = watched.run() else {
        return text;
    };
    if watched.sweep().is_some() {
        name = shown::name(&file_name(&run.observed));
    }
    line(&format!("{name}: {}", run.state(now)));
    line(&run.progress(now));
    let facts = run.facts();
    if !facts.is_empty() {
        line(&facts.join("  "));
    }
    let curves = watched.curves();
    let names: Vec<String> = curves.iter().map(|curve| shown::name(&curve.name())).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (curve, name) in curves.iter().zip(names) {
        let last = curve.last().map_or(String::new(), number);
        let finite = || {
            curve
                .points
                .iter()
                .map(|point| point.value)
                .filter(|value| value.is_finite())
        };
        // The plot knows which numbers count.
        let range = Plot::of(curve.points, 1).map(|_| {
            let low = finite().fold(f64::INFINITY, f64::min);
            let high = finite().fold(f64::NEG_INFINITY, f64::max);
            format!("  between {} and {}", number(low), number(high))
        });
        let count = curve.points.len();
        let points = if count == 1 {
            "1 point".into()
        } else {
            format!("{count} points")
        };
        line(&format!(
            "{name:width$}  {last:>10}{}, {points}",
            range.unwrap_or_default()
        ));
    }
    let first = run.log.len().saturating_sub(OF_LOG);
    run.log[first..].iter().for_each(|own| line(&logged(own)));
    text
}
