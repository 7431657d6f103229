//! What has to stand below a table: how its numbers were obtained, and which runs went wrong.

use super::cell::Cell;
use super::outcome::{Finished, Outcome};
use super::provenance;
use fmicl_core::Result;

/// The caption of a table of these metrics; `left_out` are the references that it cannot show.
///
/// # Errors
/// A result that cannot be read.
pub fn caption(cells: &[Cell], metrics: &[String], left_out: &[&str]) -> Result<String> {
    let mut protocols = Vec::new();
    let mut notes = Vec::new();
    let (mut waiting, mut finished) = (0, Vec::new());
    // Of each metric, why the first run has none; nothing once a run has one.
    let mut missing: Vec<Option<Option<String>>> = vec![None; metrics.len()];
    for cell in cells {
        match cell.outcome()? {
            Outcome::Waiting => waiting += 1,
            Outcome::Failed(reason) => notes.push(format!("Failed: {}: {reason}", cell.title())),
            Outcome::Finished(run) => {
                for (missing, metric) in missing.iter_mut().zip(metrics) {
                    match (run.trained(metric), &missing) {
                        (Ok(_), _) => *missing = Some(None),
                        (Err(why), None) => *missing = Some(Some(why)),
                        (Err(_), Some(_)) => (),
                    }
                }
                let protocol = protocol(cell, &run);
                if !protocols.contains(&protocol) {
                    protocols.push(protocol);
                }
                let collapse = run.collapse().map(|collapse| format!("{}: {collapse}", cell.title()));
                notes.extend(collapse);
                finished.push((cell.title(), run.segments()));
            }
        }
    }
    let mut lines = Vec::new();
    if !protocols.is_empty() {
        lines.push(
            "Metrics of evaluations are offline, after training, accuracies in %; those of `train` are of the last epoch, f-mi of \
             each divergence's own kind. Mean ± standard deviation over the seeds; bold: the \
             best mean of its column, which a spread of that size need not make the best method, unless always answering \
             the largest class is as accurate."
                .to_string(),
        );
        lines.append(&mut protocols);
        lines.extend(provenance::lines(&finished));
        if !left_out.is_empty() {
            lines.push(format!(
                "Not the same for all rows, so in results.csv alone: {}.",
                left_out.join(", ")
            ));
        }
    }
    lines.extend(
        missing
            .into_iter()
            .flatten()
            .flatten()
            .map(|why| format!("No column: {why}.")),
    );
    if waiting > 0 {
        lines.push(format!("{waiting} of {} runs are not done yet.", cells.len()));
    }
    lines.extend(notes);
    Ok(lines
        .iter()
        .map(|line| format!("{line}\n"))
        .collect::<Vec<_>>()
        .join("\n"))
}

/// How a run was trained and judged, in words that many runs share.
fn protocol(cell: &Cell, run: &Finished) -> String {
    let mut sentences = vec![match run.labels() {
        Some(labels) => labels.samples() + ".",
        None => "no labels.".to_string(),
    }];
    for judged in &run.reports.0 {
        for note in std::iter::once(&judged.report.title).chain(&judged.report.notes) {
            let sentence = format!("{}.", note.trim_end_matches('.'));
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
    }
    format!(
        "`{}`, {} epochs: {}",
        dataset(&cell.config),
        run.result("/epochs"),
        sentences.join(" ")
    )
}

/// `digits`, or `subset of cifar10`: a dataset's name and those of the parts in it.
fn dataset(config: &str) -> String {
    fn named(value: &toml::Value) -> Option<String> {
        let table = value.as_table()?;
        let name = table.get("name")?.as_str()?.to_string();
        let parts = table
            .iter()
            .filter_map(|(key, value)| Some(format!(" {key} {}", named(value)?)));
        Some(std::iter::once(name).chain(parts).collect())
    }
    let config: Option<toml::Table> = config.parse().ok();
    config
        .and_then(|config| named(config.get("dataset")?))
        .unwrap_or_default()
}
