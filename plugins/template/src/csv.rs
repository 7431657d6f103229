//! A tracker that writes every number that a run measures as a row of `scalars.csv`.

use fmicl_core::{
    Documented, Error, MetricValue, MetricValues, Moment, Result, TrackedRun, Tracker, Tracking, register,
};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

const HEAD: &str = "step,name,value\n";

/// `scalars.csv` in the run's directory, or another name.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Csv {
    /// The file's name.
    pub file: String,
}

impl Default for Csv {
    fn default() -> Self {
        Csv {
            file: "scalars.csv".into(),
        }
    }
}

register!(
    Tracker,
    "csv",
    Csv,
    "every number as a row of scalars.csv in the run's directory"
);

impl Tracker for Csv {
    fn validate(&self) -> Result<()> {
        let is_name = !self.file.is_empty() && !self.file.contains('/');
        fmicl_core::require(is_name, "file", || format!("{:?} is not the name of a file", self.file))
    }

    /// Keeps the rows up to the step at which the run stands; a row that was cut off in the middle is of a later one.
    fn open(&self, run: &TrackedRun) -> Result<Box<dyn Tracking>> {
        let path = run.folder.join(&self.file);
        let before = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => HEAD.to_string(),
            before => before.map_err(|error| Error::io(&path, error))?,
        };
        let step = |row: &&str| row.split(',').next().and_then(|step| step.parse::<u64>().ok());
        let rows = before.split_inclusive('\n').skip(1);
        let kept: String = rows
            .filter(|row| row.ends_with('\n') && step(row).is_some_and(|step| step <= run.steps))
            .collect();
        fs::write(&path, format!("{HEAD}{kept}")).map_err(|error| Error::io(&path, error))?;
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.map_err(|error| Error::io(&path, error))?;
        Ok(Box::new(Rows {
            path,
            file,
            pending: String::new(),
        }))
    }
}

struct Rows {
    path: PathBuf,
    file: File,
    /// What is not written yet.
    pending: String,
}

impl Rows {
    fn add(&mut self, at: Moment, values: &MetricValues) {
        for (name, value) in values {
            let value = match value {
                MetricValue::Count(value) => value.to_string(),
                MetricValue::Number(value) => value.to_string(),
                MetricValue::Text(_) => continue,
            };
            let name = match name.contains([',', '"', '\n']) {
                true => format!("\"{}\"", name.replace('"', "\"\"")),
                false => name.clone(),
            };
            self.pending += &format!("{},{name},{value}\n", at.step);
        }
    }
}

impl Tracking for Rows {
    fn step(&mut self, at: Moment, values: &MetricValues) -> Result<()> {
        self.add(at, values);
        Ok(())
    }

    fn epoch(&mut self, at: Moment, values: &MetricValues) -> Result<()> {
        self.add(at, values);
        Ok(())
    }

    /// A tracker with images or histograms leaves this line out.
    fn wants_tensors(&self) -> bool {
        false
    }

    fn flush(&mut self) -> Result<()> {
        let written = self.file.write_all(self.pending.as_bytes());
        let written = written.and_then(|()| self.file.sync_data());
        written.map_err(|error| Error::io(&self.path, error))?;
        self.pending.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_tracker;
    use fmicl_core::{Part, toml};

    #[test]
    fn obeys_the_laws_of_a_tracker() {
        let folder = std::env::temp_dir().join(format!("fmicl-csv-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        check_tracker(&Csv::default(), &folder);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn is_found_by_name_and_checks_its_options() {
        let options = toml::Table::from_iter([("file".to_string(), "a/b".into())]);
        let error = Part::<dyn Tracker>::new("csv", options).unwrap_err();
        assert_eq!(error.to_string(), "file: \"a/b\" is not the name of a file");
    }
}
