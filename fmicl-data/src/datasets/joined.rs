//! Files of samples in memory, one after the other: to copy gigabytes into one array would take them twice.

use super::memory::Memory;
use fmicl_core::{Image, Patch, Portion, Region, Result, Samples};

/// Samples of the same classes.
pub(super) struct Joined(Vec<(&'static str, Memory)>);

impl Joined {
    /// Parts with the names of their portions; at least one.
    pub fn new(parts: Vec<(&'static str, Memory)>) -> Self {
        Joined(parts)
    }

    /// The part that a sample lies in, and its index there.
    fn at(&self, index: usize) -> (&Memory, usize) {
        let (mut part, mut index) = (0, index);
        while index >= self.0[part].1.len() {
            index -= self.0[part].1.len();
            part += 1;
        }
        (&self.0[part].1, index)
    }
}

impl Samples for Joined {
    fn len(&self) -> usize {
        self.0.iter().map(|(_, part)| part.len()).sum()
    }

    fn classes(&self) -> usize {
        self.0[0].1.classes()
    }

    fn class_names(&self) -> Vec<String> {
        self.0[0].1.class_names()
    }

    fn image(&self, index: usize) -> Result<Image> {
        let (part, index) = self.at(index);
        part.image(index)
    }

    fn patch(&self, index: usize, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'_>> {
        let (part, index) = self.at(index);
        part.patch(index, choose)
    }

    fn portions(&self) -> Vec<Portion> {
        let portions = self.0.iter().flat_map(|(name, part)| {
            let named = |portion| Portion {
                name: name.to_string(),
                ..portion
            };
            part.portions().into_iter().map(named)
        });
        portions.collect()
    }

    fn label(&self, index: usize) -> usize {
        let (part, index) = self.at(index);
        part.label(index)
    }
}
