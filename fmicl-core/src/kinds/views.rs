//! The kind of part `views`: how samples become what an encoder reads.

use crate::{CropAndFlip, Error, Input, Modality, Reads, Result, Samples, View};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tch::Tensor;

/// Conversion of samples to the encoder's input: random views for training, one fixed view for evaluation.
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

    /// Modality of the samples.
    fn modality(&self) -> Modality;

    /// Shape of the views.
    ///
    /// # Errors
    /// [`crate::Error::Config`] where a file that the options name cannot be read.
    fn input(&self) -> Result<Input>;

    /// The channels of images whose samples are read as the files store them ([`bands`](Samples::bands) of the dataset); none, the default, where they become RGB or
    /// gray.
    fn bands(&self) -> Option<usize> {
        None
    }

    /// The number of views per sample, if the options have a recipe for each; `None`, the default, if any number is possible.
    fn count(&self) -> Option<usize> {
        None
    }

    /// Views of the same shape and normalisation whose [`random`](Views::random) ones have this augmentation alone, for training with
    /// labels.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for samples that cannot be cropped, the default, or an option out of range.
    fn cropped_and_flipped(&self, _augmentation: &CropAndFlip) -> Result<Arc<dyn Views>> {
        let modality = self.modality();
        Err(Error::config(format!(
            "training with labels crops and flips its samples, which {modality} cannot be"
        )))
    }

    /// `draw.views` random views of the samples at `draw.indices`, all of one shape: row `i` of each is of the sample
    /// `indices[i]`. A pure function of `draw`, whatever the threads.
    ///
    /// # Errors
    /// [`crate::Error`] if a sample cannot be read.
    fn random(&self, samples: &dyn Samples, draw: &Draw, stop: &Stop) -> Result<Vec<View>>;

    /// The view for evaluation of the samples at `indices`; the same in every call.
    ///
    /// # Errors
    /// [`crate::Error`] if a sample cannot be read.
    fn evaluation(&self, samples: &dyn Samples, indices: &[usize], stop: &Stop) -> Result<View>;

    /// Reads a sample as views are made of it, and makes none. The default reads its image or its texts.
    ///
    /// # Errors
    /// [`crate::Error`] if it cannot be read.
    fn read(&self, samples: &dyn Samples, index: usize) -> Result<()> {
        match self.modality() {
            Modality::Images => samples.image(index).map(drop),
            Modality::Texts => samples.texts(index).map(drop),
        }
    }

    /// The order in which evaluation best takes the samples, such as by length, where views of one batch are padded to
    /// the longest.
    fn order(&self, samples: &dyn Samples) -> Vec<usize> {
        (0..samples.len()).collect()
    }

    /// Samples from lines, one each: paths of images, or sentences.
    ///
    /// # Errors
    /// [`crate::Error`] if a line is not a sample.
    fn lines(&self, lines: Vec<String>) -> Result<Arc<dyn Samples>>;

    /// Raw features of a view without an encoder, `[N, width]`, such as its pixels, for comparison; `None` by
    /// default.
    fn raw(&self, _view: &View) -> Option<Tensor> {
        None
    }

    /// Pictures of a view as the encoder sees it, before the normalisation: `[N, channels, H, W]`, u8, on the CPU, of 1 channel or of
    /// 3; `None`, the default, if views are no images.
    fn pictures(&self, _view: &View) -> Option<Tensor> {
        None
    }

    /// How each of the [`random`](Views::random) views came about, for people: by sample and view, the transforms that changed it with
    /// what they drew, or its tokens. None by default.
    ///
    /// # Errors
    /// [`crate::Error`] if a sample cannot be read.
    fn recipes(&self, _samples: &dyn Samples, _draw: &Draw) -> Result<Vec<Vec<Vec<String>>>> {
        Ok(Vec::new())
    }

    /// One line for `check` on the options that change features most, such as the size and the normalisation of images;
    /// empty by default.
    fn summary(&self) -> String {
        String::new()
    }

    /// Warnings about options that do not seem to fit these samples, one line each, with better values; none by
    /// default. It may read some of the samples.
    fn doubts(&self, _samples: &dyn Samples) -> Vec<String> {
        Vec::new()
    }

    /// Writes tiny files of the kinds that the options name below `folder`, and returns options that read them; the tests
    /// train on them. The default writes nothing and returns no options, for views that read no files.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if a file cannot be written.
    fn example(&self, _folder: &Path) -> Result<toml::Table> {
        Ok(toml::Table::new())
    }
}

crate::kind!(Views, "views");

/// Key of a batch's randomness, which is a pure function of it and the samples.
#[derive(Debug, Clone, Copy)]
pub struct Draw<'a> {
    /// Indices of the samples.
    pub indices: &'a [usize],
    /// Number of views per sample, at least 1.
    pub views: usize,
    /// The run's seed.
    pub seed: u64,
    /// The epoch, counted from 0.
    pub epoch: u64,
}

/// Request to stop making a batch: its result is not needed any more.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Makes the request.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns true once the request was made.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
