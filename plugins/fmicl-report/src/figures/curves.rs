//! Figure `curves`: the metrics of `metrics.jsonl` over the epochs.

use super::figure::{Figure, Table, field};
use super::plot;
use fmicl_core::{Error, Result};
use fmicl_runner::plot::plotters::prelude::*;
use fmicl_runner::run::{History, METRICS};
use std::collections::BTreeMap;
use std::path::Path;

/// Stem of the figure's files.
pub const NAME: &str = "curves";

/// Size of a plot, in pixels; two are side by side.
const PLOT: (u32, u32) = (460, 250);
/// Values that measure the machine: without them, the same training has the same figure.
const OF_THE_MACHINE: [&str; 3] = ["images_per_second", "waiting", "communicating"];

/// The numbers of each epoch.
#[derive(Debug)]
struct Epochs {
    /// The epochs.
    at: Vec<u64>,
    /// Names and values, one for each epoch, the loss first; NaN where an epoch has none.
    columns: Vec<(String, Vec<f64>)>,
}

impl Epochs {
    fn of(history: &History) -> Self {
        let names = history.names().filter(|name| !OF_THE_MACHINE.contains(name));
        let mut names: Vec<&str> = names.collect();
        names.sort_by_key(|name| *name != "loss");
        let points = names.iter().flat_map(|name| history.curve(name));
        let mut at: Vec<u64> = points.map(|point| point.epoch).collect();
        at.sort_unstable();
        at.dedup();
        let column = |name: &str| {
            let points = history.curve(name).iter().map(|point| (point.epoch, point.value));
            let values: BTreeMap<u64, f64> = points.collect();
            let value = |epoch| values.get(epoch).copied().unwrap_or(f64::NAN);
            (name.to_string(), at.iter().map(value).collect())
        };
        let columns = names.into_iter().map(column).collect();
        Epochs { at, columns }
    }

    fn table(&self) -> Table {
        let columns = &self.columns;
        let head = columns.iter().map(|(name, _)| name.to_string());
        let rows = self.at.iter().enumerate().map(|(row, epoch)| {
            let fields = columns.iter().map(|(_, values)| field(values[row]));
            [epoch.to_string()].into_iter().chain(fields).collect()
        });
        Table {
            head: ["epoch".to_string()].into_iter().chain(head).collect(),
            rows: rows.collect(),
        }
    }

    /// A plot for each, two side by side.
    fn svg(&self) -> Result<String> {
        let columns = &self.columns;
        let rows = columns.len().div_ceil(2);
        plot::svg((2 * PLOT.0, PLOT.1 * rows as u32), |area| {
            for (area, (name, values)) in area.split_evenly((rows, 2)).iter().zip(columns) {
                let x_range = plot::range(self.at.iter().map(|&epoch| epoch as f64));
                let y_range = plot::range(values.iter().copied());
                let mut chart = plot::chart(area, name, ["epoch", ""], [x_range, y_range])?;
                let points = || self.at.iter().map(|&epoch| epoch as f64).zip(values.iter().copied());
                // A line ends where a value is missing.
                let points: Vec<_> = points().collect();
                for run in points.split(|(_, value)| !value.is_finite()) {
                    chart.draw_series(LineSeries::new(run.iter().copied(), BLUE.stroke_width(2)))?;
                    if points.len() == 1 || run.len() == 1 {
                        chart.draw_series(run.iter().map(|&point| Circle::new(point, 3, BLUE.filled())))?;
                    }
                }
            }
            Ok(())
        })
    }
}

/// The figure of the run in a directory.
///
/// # Errors
/// A run without `metrics.jsonl`, or with none of its epochs over.
pub fn figure(run: &Path) -> Result<Figure> {
    let path = run.join(METRICS);
    if !path.is_file() {
        return Err(Error::data(&path, "is not there: the run has ended no epoch"));
    }
    let mut history = History::of_epochs(run);
    history.update()?;
    match history.damaged() {
        0 => {}
        1 => tracing::warn!("{}: a damaged line is left out", path.display()),
        lines => tracing::warn!("{}: {lines} damaged lines are left out", path.display()),
    }
    let epochs = Epochs::of(&history);
    if epochs.columns.is_empty() {
        return Err(Error::data(&path, "has no epoch yet"));
    }
    let shows = format!("{} metrics over {} epochs", epochs.columns.len(), epochs.at.len());
    Ok(Figure {
        name: NAME,
        svg: epochs.svg()?,
        table: epochs.table(),
        shows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const LINES: &str = r#"{"epoch":1,"step":3,"lr":0.1,"loss":2.5,"projections":{"of":"the last batch","effective_rank":3.0},"waiting":0.5}
{"epoch":2,"step":6,"lr":0.2,"loss":null,"balance":0.25,"projections":{"of":"the last batch","effective_rank":4.0},"waiting":0.4}
{"epoch":3,"step":9,"lr":0.3,"loss":1.5,"projections":{"of":"the last"#;

    #[test]
    fn every_number_of_an_epoch_has_a_column_and_the_loss_is_the_first() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("metrics.jsonl"), LINES).unwrap();
        let figure = figure(folder.path()).unwrap();
        let lines: Vec<_> = figure.table.rows.iter().map(|row| row.join(",")).collect();
        assert_eq!(
            figure.table.head.join(","),
            "epoch,loss,balance,lr,projections/effective_rank"
        );
        assert_eq!(lines, ["1,2.5,,0.1,3", "2,,0.25,0.2,4"]);
        for name in &figure.table.head {
            assert!(figure.svg.contains(name.as_str()), "{name}");
        }
        assert_eq!(figure.shows, "4 metrics over 2 epochs");
    }

    #[test]
    fn a_file_without_epochs_is_one_clear_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let shown = || {
            let message = figure(folder.path()).unwrap_err().to_string();
            message.replace(&format!("{}/", folder.path().display()), "")
        };
        assert!(shown().starts_with("metrics.jsonl: is not there: "), "{}", shown());
        for text in ["", "{\"epoch\":1"] {
            fs::write(&path, text).unwrap();
            assert_eq!(shown(), "metrics.jsonl: has no epoch yet");
        }
    }

    #[test]
    fn a_damaged_line_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let lines = "{\"epoch\":1,\"loss\":2}\n{}\n\u{0}\u{0}\n{\"epoch\":3,\"loss\":1}\n";
        fs::write(folder.path().join(METRICS), lines).unwrap();
        let figure = figure(folder.path()).unwrap();
        assert_eq!(figure.table.rows, [["1", "2"], ["3", "1"]]);
    }
}
