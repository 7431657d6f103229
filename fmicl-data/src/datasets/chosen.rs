//! Samples of another split, all of them or some, with what else is said of them.

use fmicl_core::{Bands, Image, Patch, Portion, Region, Result, Samples};
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

/// Samples of another split.
pub struct Chosen {
    whole: Arc<dyn Samples>,
    which: Which,
    /// In place of those of the whole.
    portions: Option<Vec<Portion>>,
    /// Behind those of the whole.
    notes: Vec<String>,
}

/// Which samples of the whole, and in which order.
enum Which {
    All,
    Spread(usize),
    These(Vec<usize>),
}

impl Chosen {
    fn of(whole: Arc<dyn Samples>, which: Which) -> Self {
        Chosen {
            whole,
            which,
            portions: None,
            notes: vec![],
        }
    }

    /// All samples of `whole`.
    pub fn all(whole: Arc<dyn Samples>) -> Self {
        Chosen::of(whole, Which::All)
    }

    /// `len` samples of `whole`, evenly spread over it; at least 1, and at most as many as there are.
    pub fn spread(len: usize, whole: Arc<dyn Samples>) -> Self {
        Chosen::of(whole, Which::Spread(len))
    }

    /// The samples of `whole` at `indices`, each below its length, in this order.
    pub fn these(indices: Vec<usize>, whole: Arc<dyn Samples>) -> Self {
        Chosen::of(whole, Which::These(indices))
    }

    /// The same with another fingerprint.
    #[must_use]
    pub fn with_portions(self, portions: Vec<Portion>) -> Self {
        Chosen {
            portions: Some(portions),
            ..self
        }
    }

    /// The same with one more note.
    #[must_use]
    pub fn with_note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    fn at(&self, index: usize) -> usize {
        match &self.which {
            Which::All => index,
            Which::Spread(len) => (index as u128 * self.whole.len() as u128 / *len as u128) as usize,
            Which::These(indices) => indices[index],
        }
    }
}

impl Samples for Chosen {
    fn len(&self) -> usize {
        match &self.which {
            Which::All => self.whole.len(),
            Which::Spread(len) => *len,
            Which::These(indices) => indices.len(),
        }
    }

    fn classes(&self) -> usize {
        self.whole.classes()
    }

    fn image(&self, index: usize) -> Result<Image> {
        self.whole.image(self.at(index))
    }

    fn texts(&self, index: usize) -> Result<Vec<Cow<'_, str>>> {
        self.whole.texts(self.at(index))
    }

    fn bands(&self, index: usize, channels: usize) -> Result<Bands> {
        self.whole.bands(self.at(index), channels)
    }

    fn patch(&self, index: usize, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'_>> {
        self.whole.patch(self.at(index), choose)
    }

    fn portions(&self) -> Vec<Portion> {
        self.portions.clone().unwrap_or_else(|| self.whole.portions())
    }

    fn label(&self, index: usize) -> usize {
        self.whole.label(self.at(index))
    }

    fn weight(&self, index: usize) -> f64 {
        self.whole.weight(self.at(index))
    }

    fn notes(&self) -> Vec<String> {
        self.whole.notes().into_iter().chain(self.notes.clone()).collect()
    }

    fn class_names(&self) -> Vec<String> {
        self.whole.class_names()
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        self.whole.path(self.at(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::Digits;
    use fmicl_core::testing::check_dataset;
    use fmicl_core::{Dataset, Split};

    #[test]
    fn samples_are_those_of_the_indices() {
        let whole: Arc<dyn Samples> = Digits {}.open(Split::Train).unwrap().into();
        let chosen = Chosen::these(vec![7, 3], whole.clone());
        check_dataset(&chosen);
        assert_eq!(chosen.len(), 2);
        assert_eq!(chosen.image(0).unwrap(), whole.image(7).unwrap());
        assert_eq!([chosen.label(0), chosen.label(1)], [whole.label(7), whole.label(3)]);
        assert_eq!([chosen.weight(0), chosen.weight(1)], [whole.weight(7), whole.weight(3)]);
    }

    #[test]
    fn what_is_said_of_the_whole_is_kept_or_replaced() {
        let whole: Arc<dyn Samples> = Digits {}.open(Split::Train).unwrap().into();
        let portion = Portion::new("x", whole.len(), ["y"]);
        let chosen = Chosen::all(Arc::new(Chosen::all(whole.clone()).with_note("one".into())));
        assert_eq!(chosen.portions(), whole.portions());
        let chosen = chosen.with_portions(vec![portion.clone()]).with_note("two".into());
        check_dataset(&chosen);
        assert_eq!((chosen.len(), chosen.portions()), (whole.len(), vec![portion]));
        assert_eq!(chosen.notes(), ["one", "two"]);
    }
}
