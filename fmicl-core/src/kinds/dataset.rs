//! The kind of part `dataset`.

use crate::{Bands, Error, Image, Modality, Patch, Portion, Reads, Region, Result, Source};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Split of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// Samples for pre-training; the same as `Train` unless the dataset [has unlabelled
    /// images](Dataset::has_unlabelled).
    Pretrain,
    /// Labelled samples to train the linear probe, and the neighbours of kNN.
    Train,
    /// Labelled samples for the reported accuracy.
    Test,
}

/// Options that open a dataset.
pub trait Dataset: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Opens a split and checks everything about it that can be known without decoding every image:
    /// that the files are there, are whole, and that the labels are in range.
    ///
    /// # Errors
    /// [`crate::Error::Data`] or [`crate::Error::Io`] with the path, what was found, and what would work.
    fn open(&self, split: Split) -> Result<Box<dyn Samples>>;

    /// Modality of its samples.
    fn modality(&self) -> Modality {
        Modality::Images
    }

    /// Returns true if there are labels; by default images have labels and texts have none. Without labels only
    /// `Split::Pretrain` is opened, and neither kNN nor a linear probe is run.
    fn is_labelled(&self) -> bool {
        self.modality() == Modality::Images
    }

    /// Returns true if `Split::Pretrain` differs from `Split::Train`. Otherwise `Train` is opened once for both.
    fn has_unlabelled(&self) -> bool {
        false
    }

    /// Location and origin of its files, for `fmicl data`. The default is for a dataset that reads no files.
    fn source(&self) -> Source {
        Source::default()
    }

    /// The options that name files which choose among the samples, such as a list of those to leave out: a run keeps copies, and
    /// goes on with these. The samples themselves are not among them.
    fn reads(&self) -> Vec<Reads> {
        Vec::new()
    }

    /// Writes a tiny dataset of this format (at least 16 training and 4 test images) below `folder` and returns the
    /// options that read it. The tests train on it. The default writes nothing and returns no options, for a dataset
    /// without files.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if a file cannot be written.
    fn example(&self, _folder: &Path) -> Result<toml::Table> {
        Ok(toml::Table::new())
    }
}

crate::kind!(Dataset, "dataset");

/// An open split of a dataset. Indices run from 0 to `len() - 1`.
///
/// Content and label are read separately, so that pre-training never reads a label.
pub trait Samples: Send + Sync {
    /// The number of samples, at least 1.
    fn len(&self) -> usize;

    /// Always false for an open split.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of classes; 0, the default, in a split without labels, which `Split::Pretrain` may be.
    fn classes(&self) -> usize {
        0
    }

    /// Decoded image, for a dataset of [`Modality::Images`].
    ///
    /// # Errors
    /// [`crate::Error::Data`] with the path if it cannot be read or decoded.
    fn image(&self, _index: usize) -> Result<Image> {
        Err(Error::Run("these samples are not images".into()))
    }

    /// Texts, for a dataset of [`Modality::Texts`]: one; or a pair of positives; or three, the third being a hard
    /// negative of the first.
    ///
    /// # Errors
    /// [`crate::Error::Data`] with the path if they cannot be read.
    fn texts(&self, _index: usize) -> Result<Vec<Cow<'_, str>>> {
        Err(Error::Run("these samples are not texts".into()))
    }

    /// Pixels of the rectangle that `choose` returns, and possibly some around it. `choose` gets the image's width
    /// and height, and returns a rectangle within them. The pixels equal those of [`image`](Samples::image) to the
    /// bit.
    ///
    /// The default decodes the whole image. Override it for a dataset that can lend its pixels, or decode a part at
    /// lower cost.
    ///
    /// # Errors
    /// As [`image`](Samples::image).
    fn patch(&self, index: usize, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'_>> {
        let image = self.image(index)?;
        choose(image.width, image.height);
        Ok(image.into())
    }

    /// Samples of an image as they are stored, all channels of them, without becoming RGB. `channels` are those that are wanted:
    /// they tell the axes of an array, and other numbers than that may come back. The default is [`image`](Samples::image).
    ///
    /// # Errors
    /// As [`image`](Samples::image).
    fn bands(&self, index: usize, _channels: usize) -> Result<Bands> {
        self.image(index).map(Bands::from)
    }

    /// Fingerprints of the content in portions, such as the photos of each class: a run resumes only if they are
    /// unchanged. Called once per run; it must not take longer than opening the split. The default knows only the
    /// number of samples.
    fn portions(&self) -> Vec<Portion> {
        vec![Portion::new("", self.len(), [""; 0])]
    }

    /// The class, below `classes()`; 0, the default, in a split without labels.
    fn label(&self, _index: usize) -> usize {
        0
    }

    /// How often pre-training draws the sample, beside others: finite and not negative, and not 0 for all. An epoch draws each sample
    /// at most once, in the share of epochs that its weight is of the largest (a little less often where the shares do not add up to a whole
    /// number of samples). 1, the default, for all draws all of them.
    fn weight(&self, _index: usize) -> f64 {
        1.0
    }

    /// Notes on the split, a line each, printed by `check` and `train`: the number and kind of files that were left
    /// out, a folder that is used in place of another.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// The names of the classes, in the order of their numbers; none, the default, where they are not known.
    fn class_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// File of a sample, if each sample has its own; by default none.
    fn path(&self, _index: usize) -> Option<PathBuf> {
        None
    }
}
