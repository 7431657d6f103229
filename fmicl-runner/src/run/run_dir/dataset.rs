//! `dataset.json`: what the dataset held when the run began. The order of the samples depends on it, so that a run goes on
//! with the same alone.

use super::RunDir;
use fmicl_core::{Error, Portion, Result, Source, read_file};

const DATASET: &str = "dataset.json";
/// The most bytes of it: each class of an `image-folder` takes a hundred.
const MOST: u64 = 256 << 20;

impl RunDir {
    /// Writes down what the run is trained on.
    ///
    /// # Errors
    /// The disk's.
    pub fn keep_portions(&self, portions: &[Portion]) -> Result<()> {
        self.write_json(DATASET, &portions)
    }

    /// Checks that the run was trained on these, of the dataset that comes from `source`.
    ///
    /// # Errors
    /// [`Error::Run`] with what differs; [`Error::Data`] where the file is gone or damaged.
    pub fn require_portions(&self, now: &[Portion], source: &Source) -> Result<()> {
        let Some(difference) = Portion::difference(now, &self.portions()?) else {
            return Ok(());
        };
        let place = source.looks_in.iter().find(|path| path.exists());
        let place = place.map_or("the data".into(), |path| path.display().to_string());
        Err(Error::Run(format!(
            "{}: {difference}; a run can resume only with the data that it started with: restore {place}, or start a new run with \
             another --out",
            self.path().display()
        )))
    }

    /// Returns a description of how these portions differ from those of training, or why that is unknown; `None` if they are
    /// equal.
    pub fn differs(&self, now: &[Portion]) -> Option<String> {
        match self.portions() {
            Ok(before) => Portion::difference(now, &before),
            Err(error) => Some(error.to_string()),
        }
    }

    /// What the run was trained on.
    ///
    /// # Errors
    /// [`Error::Data`] where the file is gone or damaged.
    pub fn portions(&self) -> Result<Vec<Portion>> {
        let path = self.path().join(DATASET);
        let bytes = read_file(&path, MOST, "it says what the run was trained on")?;
        serde_json::from_slice(&bytes).map_err(|error| Error::data(&path, format!("is damaged: {error}")))
    }
}
