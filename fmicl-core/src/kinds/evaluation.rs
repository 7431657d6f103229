//! The kind of part `evaluation`: measures of a frozen encoder.

use crate::{Error, LabelledSamples, MetricNames, Modality, Report, Result, Samples, Supervised, row_norms};
use std::path::Path;
use std::sync::Arc;
use tch::{Kind, Tensor};

/// A measure of a frozen encoder: on data of its own, such as semantic textual similarity, or by the labels of the run's
/// dataset, such as a linear probe.
///
/// An experiment names the evaluations that run after training (`[evaluations.NAME]`); `fmicl eval RUN --on NAME`
/// runs a single one.
pub trait Evaluation: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Modality that the encoder must read; `None`, the default, if any will do.
    fn modality(&self) -> Option<Modality> {
        None
    }

    /// Returns true if it uses the [labelled splits](Representation::labelled) of the run's dataset.
    fn wants_labels(&self) -> bool {
        false
    }

    /// Returns true if it trains on the [labelled samples](Representation::supervised) themselves rather than on the features of each:
    /// training does not wait for it, raw samples are not judged by it, and it takes one process.
    fn trains(&self) -> bool {
        false
    }

    /// Returns true if it runs on every dataset with labels, unless the experiment has `NAME = false`.
    fn is_default(&self) -> bool {
        false
    }

    /// Checks the options against the labelled splits, before training.
    ///
    /// # Errors
    /// [`crate::Error::Config`] at the option.
    fn validate_for(&self, _sizes: &Sizes) -> Result<()> {
        Ok(())
    }

    /// Reasons to doubt the results that are known before training, one line each; `name` is the evaluation's name in
    /// the experiment.
    fn doubts(&self, _name: &str, _sizes: &Sizes) -> Vec<String> {
        Vec::new()
    }

    /// Memory in bytes, in addition to the features of the labelled splits (`width` numbers per sample). A run is
    /// refused if the machine does not have it.
    fn memory(&self, _sizes: &Sizes, _width: usize) -> u64 {
        0
    }

    /// Reads the evaluation's own data, if any. Called before training, so that a fault of the data does not end a
    /// run of several days.
    ///
    /// # Errors
    /// [`crate::Error`] if the data is missing or malformed.
    fn open(&self) -> Result<Box<dyn Task>>;

    /// Writes a tiny example of its data below `folder` and returns the options that read it, for tests. The default
    /// writes nothing and returns no options, for an evaluation without its own data.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if a file cannot be written.
    fn example(&self, _folder: &Path) -> Result<toml::Table> {
        Ok(toml::Table::new())
    }
}

crate::kind!(Evaluation, "evaluation");

/// An evaluation whose data are read.
pub trait Task: Send + Sync {
    /// The names of the metrics that its report has, in or after training, so that a misspelt one is an error before training.
    fn metrics(&self, in_training: bool) -> MetricNames;

    /// Checks the options and the data against the labelled samples, before training: a list of samples, for instance.
    ///
    /// # Errors
    /// [`crate::Error`] with the first that does not fit.
    fn validate_samples(&self, _samples: &LabelledSamples) -> Result<()> {
        Ok(())
    }

    /// Measures an encoder.
    ///
    /// # Errors
    /// [`crate::Error`] if a sample cannot be read.
    fn judge(&self, it: &dyn Representation) -> Result<Report>;
}

/// A frozen encoder, or raw samples, as an evaluation sees them.
pub trait Representation {
    /// The features `[N, d]` of samples, f32 in main memory, in the samples' order, not normalised.
    ///
    /// # Errors
    /// [`crate::Error`] if a sample cannot be read.
    fn encode(&self, samples: Arc<dyn Samples>) -> Result<Tensor>;

    /// The features of the labelled splits: computed once, and shared by all evaluations that ask.
    ///
    /// # Errors
    /// [`crate::Error`] if a sample cannot be read, or there are no labels.
    fn labelled(&self) -> Result<&LabelledFeatures>;

    /// The labelled samples in batches, the encoder, and copies of it to train.
    ///
    /// # Errors
    /// [`crate::Error`] if there are no labels, or features alone; or several processes, each of which would train by itself.
    fn supervised(&self) -> Result<Box<dyn Supervised + '_>> {
        Err(Error::Run("there are no labelled samples to train with".into()))
    }

    /// Returns true during training, which waits for the result: slow metrics may be left out.
    fn is_in_training(&self) -> bool {
        false
    }
}

/// The features of the labelled splits of a dataset.
#[derive(Debug)]
pub struct LabelledFeatures {
    /// Features of the labelled training samples.
    pub train: Features,
    /// Features of the test samples.
    pub test: Features,
    /// The number of classes, at least 2.
    pub classes: usize,
    /// Names of the classes by number; empty if the dataset has none.
    pub class_names: Vec<String>,
}

/// Features of samples and their labels, on the device that computes.
#[derive(Debug)]
pub struct Features {
    /// `[N, d]`, f32, or f16 where the experiment asks for half the memory (`eval.half`), not normalised. [`rows`](Features::rows) has
    /// some of them as f32.
    pub values: Tensor,
    /// `[N]`, i64, each below the number of classes.
    pub labels: Tensor,
}

/// Rows whose lengths are computed at a time.
const ROWS: i64 = 1 << 12;

impl Features {
    /// `count` rows from `start` on, `[count, d]`, f32.
    pub fn rows(&self, start: i64, count: i64) -> Tensor {
        self.values.narrow(0, start, count).to_kind(Kind::Float)
    }

    /// The Euclidean lengths `[N]` of the rows, f32, at least 1e-12.
    pub fn lengths(&self) -> Tensor {
        let count = self.values.size()[0];
        let starts = (0..count).step_by(ROWS as usize);
        let lengths = starts.map(|start| row_norms(&self.rows(start, ROWS.min(count - start))).squeeze_dim(1));
        let none = Tensor::zeros([0], (Kind::Float, self.values.device()));
        Tensor::cat(&lengths.chain([none]).collect::<Vec<_>>(), 0)
    }

    /// The rows at `indices` `[M]`, i64.
    pub fn select(&self, indices: &Tensor) -> Features {
        Features {
            values: self.values.index_select(0, indices),
            labels: self.labels.index_select(0, indices),
        }
    }
}

/// The size of the labelled splits, known before a sample is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Labelled samples for training.
    pub train: usize,
    /// Test samples.
    pub test: usize,
    /// The number of classes.
    pub classes: usize,
}
