//! A figure and its numbers, as two files.

use fmicl_core::{Error, Result, disk};
use std::path::{Path, PathBuf};

/// A figure and its numbers.
#[derive(Debug)]
pub struct Figure {
    /// Stem of its files.
    pub name: &'static str,
    /// Description in one line.
    pub shows: String,
    /// The picture.
    pub svg: String,
    /// The numbers in it.
    pub table: Table,
}

/// Numbers in columns.
#[derive(Debug)]
pub struct Table {
    /// Names of the columns.
    pub head: Vec<String>,
    /// As many fields each; an empty field where there is no number.
    pub rows: Vec<Vec<String>>,
}

impl Figure {
    /// Writes `NAME.svg` and `NAME.csv`, and returns a line on each.
    ///
    /// # Errors
    /// [`Error::Io`] of the disk.
    pub fn write(&self, folder: &Path) -> Result<[String; 2]> {
        let path = |ending: &str| -> PathBuf { folder.join(format!("{}.{ending}", self.name)) };
        let (svg, csv) = (path("svg"), path("csv"));
        disk::replace(&svg, self.svg.as_bytes())?;
        disk::replace(&csv, &self.table.csv()?)?;
        let (rows, columns) = (self.table.rows.len(), self.table.head.len());
        Ok([
            format!("{}: {}", svg.display(), self.shows),
            format!("{}: its numbers, {rows} rows of {columns} columns", csv.display()),
        ])
    }
}

impl Table {
    /// As in RFC 4180, but with lines that end in a line feed.
    fn csv(&self) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = [&self.head].into_iter().chain(&self.rows);
        let written = written
            .map(|row| writer.write_record(row))
            .collect::<Result<Vec<()>, _>>();
        written.map_err(|error| Error::Run(format!("a table: {error}")))?;
        writer
            .into_inner()
            .map_err(|error| Error::Run(format!("a table: {error}")))
    }
}

/// A number with all its digits, or an empty field where it is not finite.
pub fn field(number: f64) -> String {
    match number.is_finite() {
        true => number.to_string(),
        false => String::new(),
    }
}
