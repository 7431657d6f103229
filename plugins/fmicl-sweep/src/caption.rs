//! What has to stand below a table: how its numbers were obtained, and which runs went wrong.

use super::cell::Cell;
use super::outcome::{Finished, Outcome};
use super::provenance;
use fmicl_core::Result;

/// The caption; `left_out` are the references that the table cannot show.
///
/// # Errors
/// A result that cannot be read.
pub fn caption(cells: &[Cell], left_out: &[&str]) -> Result<String> {
    let mut protocols = Vec::new();
    let mut notes = Vec::new();
    let (mut waiting, mut finished) = (0, Vec::new());
    for cell in cells {
        match cell.outcome()? {
            Outcome::Waiting => waiting += 1,
            Outcome::Failed(reason) => notes.push(format!("Failed: {}: {reason}", cell.title())),
            Outcome::Finished(run) => {
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
            "Accuracies in %, offline, after training: frozen features of unaugmented images. Other numbers are of the last \
             epoch of training, f-MI of each divergence's own kind. Mean ± standard deviation over the seeds; bold: the \
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
    let of = |key: &str| run.result(&format!("/evaluation/protocol/{key}"));
    let seen = match of("test_images_in_training").as_u64() {
        None | Some(0) => String::new(),
        Some(count) => format!(", of which {count} are training images"),
    };
    let unreadable = match of("unreadable_images").as_u64() {
        None | Some(0) => String::new(),
        Some(count) => format!(" ({count} images of both splits could not be read)"),
    };
    let few = match of("classes_with_fewer").as_u64() {
        None | Some(0) => format!("{} a class", of("few_labels")),
        Some(_) => format!("up to {} a class, {} in all", of("few_labels"), of("few_images")),
    };
    format!(
        "`{}`, {} epochs: accuracy on {} test images{}{}; kNN with k = {}, temperature {}, and a linear probe with l2 = {}, by {} \
         labelled images; few labels: {} (k = {}), the mean of {} choices.",
        dataset(&cell.config),
        run.result("/epochs"),
        of("test_images"),
        unreadable,
        seen,
        of("k"),
        of("temperature"),
        of("l2"),
        of("train_images"),
        few,
        of("k_few"),
        of("draws"),
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
