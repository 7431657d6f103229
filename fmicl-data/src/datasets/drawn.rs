//! Splits drawn at random within each class, for datasets that have no official ones.

use super::links::{FollowLinks, Links};
use super::listing::Listing;
use super::photos::Photos;
use fmicl_core::{Error, Result, Rng, Split, word_of};
use std::ffi::OsString;
use std::path::Path;

/// Photos in class folders, and a seed that splits them.
pub(super) struct Drawn<'a> {
    /// The dataset's folder.
    pub root: &'a Path,
    /// The folder of the class folders in it.
    pub folder: &'static str,
    pub seed: u64,
    /// How to restore a missing file.
    pub hint: &'a str,
}

impl Drawn<'_> {
    /// The class folders, sorted by name.
    ///
    /// # Errors
    /// As [`Listing::of`] and [`Listing::classes`].
    pub fn classes(&self) -> Result<Vec<OsString>> {
        let listing = Listing::of(&self.root.join(self.folder), &self.links(), self.hint)?;
        listing.classes(self.hint).map(<[_]>::to_vec)
    }

    /// A split: of a class with so many photos, `train` says how many are for training. Which, and their order, depends on the seed, the
    /// name of the class and the names of its photos.
    ///
    /// # Errors
    /// As [`Listing::of`]; [`Error::Data`] if a class has no photos for one of the splits.
    pub fn photos(&self, classes: &[OsString], split: Split, train: impl Fn(usize) -> usize) -> Result<Photos> {
        let mut photos = Photos::new(self.root, classes);
        for (label, class) in classes.iter().enumerate() {
            let folder = Path::new(self.folder).join(class);
            let path = self.root.join(&folder);
            let names = Listing::of(&path, &self.links(), self.hint)?.photos;
            let (count, train) = (names.len(), train(names.len()));
            if train == 0 || train >= count {
                let message = format!(
                    "{count} photos cannot be split into {train} for training and the rest for the test; {}",
                    self.hint
                );
                return Err(Error::data(path, message));
            }
            let mut order: Vec<usize> = (0..count).collect();
            Rng::new(&[self.seed, word_of(&class.to_string_lossy())]).shuffle(&mut order);
            let (first, rest) = order.split_at_mut(train);
            let chosen = if split == Split::Test { rest } else { first };
            chosen.sort_unstable();
            chosen
                .iter()
                .for_each(|&index| photos.push(&folder, &names[index], label));
        }
        Ok(photos)
    }

    fn links(&self) -> Links {
        // Official archives have no links: there is nobody to allow more.
        Links::new(&[self.root], FollowLinks::Within)
    }
}
