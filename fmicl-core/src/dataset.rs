//! The kind of part `dataset`.

use crate::{Error, Image, Modality, Patch, Portion, Region, Result, Source};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Which part of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// What pre-training sees; the same as `Train` unless the dataset [has unlabelled images](Dataset::has_unlabelled).
    Pretrain,
    /// Labelled, for the probe and as the neighbours of kNN.
    Train,
    /// Labelled, for the accuracy that is reported.
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

    /// What its samples are made of.
    fn modality(&self) -> Modality {
        Modality::Images
    }

    /// Whether there are labels; by default images have some and texts none. If not, `Split::Pretrain` alone is opened, and
    /// neither kNN nor a linear probe is run.
    fn is_labelled(&self) -> bool {
        self.modality() == Modality::Images
    }

    /// Whether `Split::Pretrain` differs from `Split::Train`. If not, `Train` is opened once for both.
    fn has_unlabelled(&self) -> bool {
        false
    }

    /// Where its files lie and where they come from, for `fmicl data`. The default is for a dataset that reads no files.
    fn source(&self) -> Source {
        Source::default()
    }

    /// Writes a tiny dataset of this format (at least 16 training and 4 test images) below `folder` and returns the
    /// options that read it, so that whoever has not the real data can try the format; the tests train on it. The
    /// default, no options and no files, is for a dataset that needs none.
    ///
    /// # Errors
    /// The disk's.
    fn example(&self, _folder: &Path) -> Result<toml::Table> {
        Ok(toml::Table::new())
    }
}

crate::kind!(Dataset, "dataset");

/// An open split of a dataset. Indices run from 0 to `len() - 1`.
///
/// Content and label are read apart, so that pre-training never touches a label.
pub trait Samples: Send + Sync {
    /// The number of samples, at least 1.
    fn len(&self) -> usize;

    /// Never, for a split that opened.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of classes; 0, the default, in a split without labels, which `Split::Pretrain` may be.
    fn classes(&self) -> usize {
        0
    }

    /// The decoded image, where the dataset is of [`Modality::Images`].
    ///
    /// # Errors
    /// [`crate::Error::Data`] with the path where it cannot be read or decoded.
    fn image(&self, _index: usize) -> Result<Image> {
        Err(Error::Run("these samples are no images".into()))
    }

    /// The texts, where the dataset is of [`Modality::Texts`]: one; or two that belong together; or three, of which the
    /// third does not belong to the first, though it may look so (a hard negative).
    ///
    /// # Errors
    /// [`crate::Error::Data`] with the path where they cannot be read.
    fn texts(&self, _index: usize) -> Result<Vec<Cow<'_, str>>> {
        Err(Error::Run("these samples are no texts".into()))
    }

    /// The pixels that `choose` picks, and perhaps some around them: it is told the image's width and height, and
    /// returns a rectangle within. The pixels are those of [`image`](Samples::image), to the bit.
    ///
    /// The default decodes the image. A dataset that can lend its pixels, or decode a part for less, does so here.
    ///
    /// # Errors
    /// As [`image`](Samples::image).
    fn patch(&self, index: usize, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'_>> {
        let image = self.image(index)?;
        choose(image.width, image.height);
        Ok(image.into())
    }

    /// The content in portions, such as the photos of each class: a run goes on only where they are what they were. It is
    /// asked for once a run, and takes no longer than opening did. The default knows the number of samples alone.
    fn portions(&self) -> Vec<Portion> {
        vec![Portion::new("", self.len(), [""; 0])]
    }

    /// The class, below `classes()`; 0, the default, in a split without labels.
    fn label(&self, _index: usize) -> usize {
        0
    }

    /// Facts about the split that its counts do not show, a line each: the number and kind of files that were left out, a
    /// folder that was taken in place of another. `check` and `train` print them.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// The names of the classes, in the order of their numbers; none, the default, where they are not known.
    fn class_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// The file of a sample, where each has one of its own; the default is that none has.
    fn path(&self, _index: usize) -> Option<PathBuf> {
        None
    }
}
