//! A split of images with its labels.

use crate::opened::Opened;
use crate::samples::{Name, Shards};
use fmicl_core::{Error, Result, Samples, require};

/// The labels of a dataset.
pub(crate) struct Labels {
    /// Whether they are read where there are some.
    pub wanted: bool,
    /// Whether the user said where they are: then there must be some.
    pub is_named: bool,
    /// How a user would call what is missing where a sample has none.
    pub called: String,
    /// The names of the classes, where they are known.
    pub names: Vec<String>,
}

impl Labels {
    /// Opens the training shards, or the test shards where there are some: with the number of classes that the names or the
    /// training labels say, or without labels where training has none.
    ///
    /// # Errors
    /// [`Error::Data`] where only some have labels, or a label is not that of a class.
    pub fn open(self, train: Opened, test: Option<Opened>, name: Name) -> Result<Box<dyn Samples>> {
        let is_labelled = self.wanted && train.is_labelled()?;
        let classes = match (self.names.len(), train.highest()) {
            (0, highest) => highest.map_or(1, |label| label as usize + 1),
            (count, _) => count,
        };
        if !is_labelled && self.wanted && self.is_named {
            let message = format!("no sample has {}; `labels = \"none\"` trains without", self.called);
            return Err(Error::data(&train.files[0], message));
        }
        let opened = test.unwrap_or(train);
        if !is_labelled {
            let note = self
                .wanted
                .then(|| format!("no sample to train on has {}, so there are no labels", self.called));
            return Ok(Box::new(Shards::new(opened, 1, name)?.with_note(note)));
        }
        if !opened.is_labelled()? {
            let message = format!("no sample has {}, and those to train on have", self.called);
            return Err(Error::data(&opened.files[0], message));
        }
        Ok(Box::new(Shards::new(opened, 1, name)?.labelled(classes, self.names)?))
    }
}

/// Refuses options that mean nothing where the samples are texts.
///
/// # Errors
/// [`Error::Config`] at the first of them that is set.
pub(crate) fn refuse_beside_texts(are_texts: bool, options: &[(&str, bool)]) -> Result<()> {
    options.iter().try_for_each(|&(option, is_set)| {
        require(!are_texts || !is_set, option, || {
            "goes with images, and `text` makes the samples texts, which have no labels and no test split".into()
        })
    })
}
