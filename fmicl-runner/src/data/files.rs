//! Samples of several splits that are the same file.

use super::Splits;
use fmicl_core::Samples;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Splits {
    /// Returns the number of test samples whose files are training files, too. Files are compared by name and resolved folder.
    /// Training files are those of pre-training and of the labelled training split.
    pub fn test_in_training(&self) -> usize {
        let Some(labelled) = &self.labelled else { return 0 };
        let mut folders = HashMap::new();
        let mut file = |path: PathBuf| -> Option<(PathBuf, OsString)> {
            let (folder, name) = (path.parent()?, path.file_name()?);
            let real = |folder: &Path| folder.canonicalize().unwrap_or_else(|_| folder.into());
            let known = folders.entry(folder.to_path_buf()).or_insert_with(|| real(folder));
            Some((known.clone(), name.to_owned()))
        };
        // There are millions in training, so those of the test split are held.
        let test: Vec<_> = paths(&*labelled.test).filter_map(&mut file).collect();
        if test.is_empty() {
            return 0;
        }
        let distinct: HashSet<_> = test.iter().collect();
        let mut found = HashSet::new();
        let own = self.own_pretrain.then(|| paths(&*labelled.train));
        for path in paths(&*self.pretrain).chain(own.into_iter().flatten()) {
            if let Some(file) = file(path)
                && let Some(file) = distinct.get(&file)
            {
                found.insert(*file);
            }
        }
        test.iter().filter(|file| found.contains(file)).count()
    }

    /// Number of distinct files among the labelled samples at these indices; a sample without a file counts as one.
    pub fn distinct(&self, train: &[usize], test: &[usize]) -> usize {
        let Some(labelled) = &self.labelled else { return 0 };
        let of = |samples: &Arc<dyn Samples>, split: usize, index: usize| match samples.path(index) {
            Some(path) => Ok(path.canonicalize().unwrap_or(path)),
            None => Err((split, index)),
        };
        let train = train.iter().map(|&index| of(&labelled.train, 0, index));
        let test = test.iter().map(|&index| of(&labelled.test, 1, index));
        train.chain(test).collect::<HashSet<_>>().len()
    }
}

/// The files of samples, where they are files.
fn paths(samples: &dyn Samples) -> impl Iterator<Item = PathBuf> {
    (0..samples.len()).map_while(|index| samples.path(index))
}
