//! What an evaluation with data of its own says of several representations.

use super::encode::{Encode, Reader};
use fmicl_core::tch::Device;
use fmicl_core::{Figure, Report, Result, Task};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// An evaluation's figures for one or more representations.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluated {
    /// The evaluation's name.
    pub evaluation: String,
    /// What was measured and on what.
    pub title: String,
    /// How the figures were obtained.
    pub notes: Vec<String>,
    /// A representation each.
    pub rows: Vec<Figures>,
}

/// Of each evaluation, its figures by their names.
pub type FiguresByName = BTreeMap<&'static str, BTreeMap<String, f64>>;

/// What one representation is worth.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// What the features are.
    pub representation: String,
    /// The figures in the order in which they are shown.
    pub figures: Vec<Figure>,
}

impl Evaluated {
    /// No representation yet.
    pub fn new(evaluation: &str) -> Self {
        Evaluated {
            evaluation: evaluation.to_string(),
            title: String::new(),
            notes: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// With what the task says of one more.
    pub(crate) fn add(&mut self, representation: &str, report: Report) {
        self.title = report.title;
        self.notes = report.notes;
        self.rows.push(Figures {
            representation: representation.to_string(),
            figures: report.figures,
        });
    }

    /// The last representation's figures by name.
    pub fn last(&self) -> BTreeMap<String, f64> {
        let figures = self.rows.last().into_iter().flat_map(|row| &row.figures);
        figures.map(|figure| (figure.name.clone(), figure.value)).collect()
    }
}

/// Lets a task judge an encoder.
pub(crate) fn judge(task: &dyn Task, reader: &Reader, encode: &Encode) -> Result<Report> {
    task.judge(&|samples| Ok(reader.encode(&samples, encode)?.to_device(Device::Cpu)))
}

impl fmt::Display for Evaluated {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{}: {}", self.evaluation, self.title)?;
        let Some(first) = self.rows.first() else { return Ok(()) };
        let names = first.figures.iter().map(|figure| figure.name.chars().count());
        let width = names.max().unwrap_or(0).max(19);
        write!(f, "{:width$}", "")?;
        for row in &self.rows {
            write!(f, "  {:>17}", row.representation)?;
        }
        writeln!(f)?;
        for (index, figure) in first.figures.iter().enumerate() {
            write!(f, "{:width$}", figure.name)?;
            for row in &self.rows {
                // Every representation has the same figures.
                let value = row.figures.get(index).map_or(f64::NAN, |figure| figure.value);
                write!(f, "  {value:17.*}", figure.digits)?;
            }
            writeln!(f)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}
