//! Some samples of a split, named by their indices.

use fmicl_core::{Image, Patch, Portion, Region, Result, Samples};
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

/// The samples of a split at these indices, in this order.
pub struct Chosen {
    indices: Vec<usize>,
    whole: Arc<dyn Samples>,
}

impl Chosen {
    /// The samples of `whole` at `indices`, each below its length.
    pub fn new(indices: Vec<usize>, whole: Arc<dyn Samples>) -> Self {
        Chosen { indices, whole }
    }
}

impl Samples for Chosen {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn classes(&self) -> usize {
        self.whole.classes()
    }

    fn image(&self, index: usize) -> Result<Image> {
        self.whole.image(self.indices[index])
    }

    fn texts(&self, index: usize) -> Result<Vec<Cow<'_, str>>> {
        self.whole.texts(self.indices[index])
    }

    fn patch(&self, index: usize, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'_>> {
        self.whole.patch(self.indices[index], choose)
    }

    fn portions(&self) -> Vec<Portion> {
        self.whole.portions()
    }

    fn label(&self, index: usize) -> usize {
        self.whole.label(self.indices[index])
    }

    fn notes(&self) -> Vec<String> {
        self.whole.notes()
    }

    fn class_names(&self) -> Vec<String> {
        self.whole.class_names()
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        self.whole.path(self.indices[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::Digits;
    use fmicl_core::{Dataset, Split};

    #[test]
    fn samples_are_those_of_the_indices() {
        let whole: Arc<dyn Samples> = Digits {}.open(Split::Train).unwrap().into();
        let chosen = Chosen::new(vec![7, 3], whole.clone());
        fmicl_core::testing::check_dataset(&chosen);
        assert_eq!(chosen.len(), 2);
        assert_eq!(chosen.image(0).unwrap(), whole.image(7).unwrap());
        assert_eq!([chosen.label(0), chosen.label(1)], [whole.label(7), whole.label(3)]);
    }
}
