//! The folders of an image folder's splits: those that are named, or those that are called as splits are.

use super::ImageFolder;
use crate::datasets::listing::Listing;
use fmicl_core::{Error, Result};
use std::ffi::OsString;
use std::fs::read_dir;
use std::path::{Path, PathBuf};

/// What a training split is called.
pub const TRAIN: &str = "train";
/// Taken where there is no `TRAIN`.
const TRAINING: &str = "training";
/// What a test split is called: the first that there is, is taken.
pub const TESTS: [&str; 5] = ["test", "testing", "val", "valid", "validation"];

/// The folders in `root` that have one of `names`, in their order; letters may be of either case, and those of `names` come first.
pub fn called(root: &Path, names: &[&str]) -> Vec<String> {
    let entries = read_dir(root).into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let place = names.iter().position(|own| own.eq_ignore_ascii_case(&name))?;
        entry.path().is_dir().then(|| (place, name != names[place], name))
    });
    let mut found: Vec<_> = found.collect();
    found.sort_unstable();
    found.into_iter().map(|(_, _, name)| name).collect()
}

/// Returns true if a folder holds one of these classes.
fn holds_one(folder: &Path, classes: &[OsString]) -> bool {
    classes.iter().any(|class| folder.join(class).is_dir())
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.into())
}

impl ImageFolder {
    /// The training split without what is tested on, and a line for each folder that is none of it.
    ///
    /// # Errors
    /// [`Error::Data`] where there is no such folder, or the test split lies within one to train on; errors of `list`.
    pub(super) fn train(&self, list: impl Fn(&Path) -> Result<Listing>) -> Result<(Listing, Vec<String>)> {
        let (mut train, mut notes) = self.train_folder(list)?;
        match &self.test {
            Some(test) => self.without_named(test, &mut train)?,
            None => notes.extend(self.without_tests(&mut train)),
        }
        Ok((train, notes))
    }

    /// The training split's folder; `root` itself where nobody named another, and it holds photos and nothing else, or where
    /// folders are no classes, no split.
    fn train_folder(&self, list: impl Fn(&Path) -> Result<Listing>) -> Result<(Listing, Vec<String>)> {
        if self.train != Path::new(TRAIN) {
            return Ok((list(&self.root.join(&self.train))?, vec![]));
        }
        let found = called(&self.root, &[TRAIN, TRAINING]);
        if let Some((taken, others)) = found.split_first() {
            let note = |other: &String| {
                let path = self.root.join(other);
                format!(
                    "{}: is not used, since the training split is `{taken}`; `train = {other:?}` trains on it",
                    path.display()
                )
            };
            return Ok((list(&self.root.join(taken))?, others.iter().map(note).collect()));
        }
        // If there is no root, either, that is what is wrong.
        let root = list(&self.root)?;
        // One that is named is none that would be trained on.
        let named = self.test.as_ref().map(|test| real(&self.root.join(test)));
        let is_named = |split: &String| named.as_ref() == Some(&real(&self.root.join(split)));
        let split = called(&self.root, &TESTS).into_iter().find(|split| !is_named(split));
        if root.is_flat() || !self.labels.are_read() && split.is_none() {
            return Ok((root, vec![]));
        }
        match split {
            Some(split) => {
                let message = format!(
                    "holds `{split}`, and neither `{TRAIN}` nor `{TRAINING}`; the option `train` names the training split's folder"
                );
                Err(Error::data(&self.root, message))
            }
            None => Ok((list(&self.root.join(TRAIN))?, vec![])),
        }
    }

    /// Takes the folder of `test`, which somebody named, out of the training split: nobody trains on what is tested on.
    fn without_named(&self, test: &Path, train: &mut Listing) -> Result<()> {
        let test = self.root.join(test);
        let (real_test, real_train) = (real(&test), real(&train.path));
        let below = test.strip_prefix(&train.path).or(real_test.strip_prefix(&real_train));
        let mut below = below.unwrap_or(Path::new("")).components();
        match (below.next(), below.next()) {
            // Elsewhere, or the same folder.
            (None, _) => {}
            (Some(name), None) => train.folders.retain(|folder| folder != name.as_os_str()),
            (Some(_), Some(_)) => {
                let message = "`test` names a folder within one to train on; move it, or set `train` to another folder";
                return Err(Error::data(test, message));
            }
        }
        Ok(())
    }

    /// Takes test splits that nobody named out of a training split that is `root` itself: folders that are called so and hold
    /// folders of the classes beside them. Returns a line for each.
    fn without_tests(&self, train: &mut Listing) -> Vec<String> {
        if real(&train.path) != real(&self.root) {
            return vec![];
        }
        let tests = called(&self.root, &TESTS);
        let (tests, classes): (Vec<_>, Vec<_>) = std::mem::take(&mut train.folders)
            .into_iter()
            .partition(|folder| tests.iter().any(|test| test.as_str() == folder));
        let (tests, more): (Vec<_>, Vec<_>) = tests
            .into_iter()
            .partition(|folder| holds_one(&train.path.join(folder), &classes));
        train.folders = classes.into_iter().chain(more).collect();
        train.folders.sort_unstable();
        let note = |test: OsString| {
            let path = train.path.join(test);
            format!(
                "{}: is a test split, and no class: it holds the same classes",
                path.display()
            )
        };
        tests.into_iter().map(note).collect()
    }

    /// The test split's folder, and a line where it is not the first that there is, and for each that might have been meant.
    ///
    /// # Errors
    /// [`Error::Data`] where there is none.
    pub(super) fn test_folder(&self, classes: &[OsString]) -> Result<(PathBuf, Vec<String>)> {
        let own = format!(
            "`test = {:?}`, the folder of `train`, tests on the training photos",
            self.train
        );
        if let Some(test) = &self.test {
            let path = self.root.join(test);
            return match path.is_dir() {
                true => Ok((path, vec![])),
                false => {
                    let message = format!("there is no such folder; `test` names one below `root`; {own}");
                    Err(Error::data(path, message))
                }
            };
        }
        let there = called(&self.root, &TESTS);
        let Some(first) = there.first() else {
            let message = format!(
                "holds none of {}; the option `test` names another folder below it; {own}; `labels = \"none\"` trains without labels and tests nothing",
                TESTS.join(", ")
            );
            return Err(Error::data(&self.root, message));
        };
        let mut with_classes = there.iter().filter(|name| holds_one(&self.root.join(name), classes));
        let Some(taken) = with_classes.next() else {
            // Listing it says what it holds.
            return Ok((self.root.join(first), vec![]));
        };
        let mut notes = Vec::new();
        if taken != first {
            let path = self.root.join(first);
            notes.push(format!(
                "{}: holds no class of training; the test split is `{taken}`",
                path.display()
            ));
        }
        notes.extend(with_classes.map(|other| {
            let path = self.root.join(other);
            format!(
                "{}: is not used, since the test split is `{taken}`; `test = {other:?}` tests on it",
                path.display()
            )
        }));
        Ok((self.root.join(taken), notes))
    }
}

#[cfg(test)]
mod tests;
