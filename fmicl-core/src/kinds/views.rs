//! The kind of part `views`: how samples become what an encoder reads.

use crate::{Input, Modality, Reads, Result, Samples, View};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tch::Tensor;

/// How samples become what an encoder reads: random views for training, one fixed view for evaluation.
///
/// Batches are made in the background, within a pool of rayon's threads: what is done by rayon's parallel iterators
/// stays in it.
pub trait Views: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// The options that name files without which the part cannot be built: a run keeps copies, and needs the originals no
    /// more.
    fn reads(&self) -> Vec<Reads> {
        Vec::new()
    }

    /// What the samples must be made of.
    fn modality(&self) -> Modality;

    /// What the views are.
    ///
    /// # Errors
    /// [`crate::Error::Config`] where a file that the options name cannot be read.
    fn input(&self) -> Result<Input>;

    /// The number of views of a sample, where the options have a recipe for each; none by default: any number is made.
    fn count(&self) -> Option<usize> {
        None
    }

    /// `draw.views` random views of the samples at `draw.indices`, all of one shape: row `i` of each is of the sample
    /// `indices[i]`. A pure function of `draw`, whatever the threads.
    ///
    /// # Errors
    /// A sample that cannot be read.
    fn random(&self, samples: &dyn Samples, draw: &Draw, stop: &Stop) -> Result<Vec<View>>;

    /// The view of evaluation, the same whenever it is asked for, of the samples at `indices`.
    ///
    /// # Errors
    /// A sample that cannot be read.
    fn evaluation(&self, samples: &dyn Samples, indices: &[usize], stop: &Stop) -> Result<View>;

    /// The order in which evaluation best takes the samples, such as by length, where views of one batch are padded to
    /// the longest.
    fn order(&self, samples: &dyn Samples) -> Vec<usize> {
        (0..samples.len()).collect()
    }

    /// Samples that are given a line each: paths of images, or sentences.
    ///
    /// # Errors
    /// A line that cannot be one.
    fn lines(&self, lines: Vec<String>) -> Result<Arc<dyn Samples>>;

    /// What is in a view without any encoder, `[N, width]`, such as its pixels, for comparison; none by default.
    fn raw(&self, _view: &View) -> Option<Tensor> {
        None
    }

    /// The options on which features depend most, in a line, such as the size and the normalisation of images, for `check`; none
    /// by default.
    fn summary(&self) -> String {
        String::new()
    }

    /// Options that look as if they were not meant for these samples, a line each, with what would be; none by default. It may
    /// read some of the samples.
    fn doubts(&self, _samples: &dyn Samples) -> Vec<String> {
        Vec::new()
    }

    /// Writes below `folder` what the options name, tiny, and returns options that read it; the tests train on it. The
    /// default, no options and no files, is for views that read none.
    ///
    /// # Errors
    /// The disk's.
    fn example(&self, _folder: &Path) -> Result<toml::Table> {
        Ok(toml::Table::new())
    }
}

crate::kind!(Views, "views");

/// What the randomness of a batch is a pure function of, beside the samples.
#[derive(Debug, Clone, Copy)]
pub struct Draw<'a> {
    /// Which samples.
    pub indices: &'a [usize],
    /// How many views of each, at least 1.
    pub views: usize,
    /// The run's seed.
    pub seed: u64,
    /// The epoch, counted from 0.
    pub epoch: u64,
}

/// Asks whoever makes a batch to give up: nobody waits for it any more, and what it returns does not matter.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
