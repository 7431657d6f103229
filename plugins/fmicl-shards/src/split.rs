//! The shards of a split where nobody names them: those in a folder of its name, or whose own names have it as a word.

use crate::numbered;
use crate::patterns::{Patterns, in_folder};
use fmicl_core::{Error, Result, Split, require};
use fmicl_data::datasets::TESTS;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Where the shards of a dataset lie.
pub(crate) struct Layout<'a> {
    pub root: &'a Path,
    pub train: &'a Patterns,
    pub test: &'a Patterns,
    /// Shards to pre-train on, where the dataset may have such.
    pub pretrain: Option<&'a Patterns>,
    /// The extension of the shards.
    pub extension: &'static str,
    /// Ends the sentence where they are not found.
    pub hint: &'static str,
}

impl Layout<'_> {
    /// The shards of a split, as they are named, or as they are found.
    ///
    /// # Errors
    /// [`Error::Config`] where `root` or a pattern is none, [`Error::Data`] where there are no such files.
    pub fn files(&self, split: Split) -> Result<Vec<PathBuf>> {
        self.require_root()?;
        let Layout {
            root, extension, hint, ..
        } = *self;
        let (option, patterns) = match split {
            Split::Pretrain | Split::Train => ("train", self.train),
            Split::Test => ("test", self.test),
        };
        let files = match (patterns.is_empty(), split) {
            (false, _) => patterns.files(root, option, extension)?,
            (true, Split::Test) => test(root, extension, hint)?,
            (true, _) => return self.without_named(train(root, extension, hint)?),
        };
        let (other, others) = match split {
            Split::Test => ("train", self.train),
            _ => ("test", self.test),
        };
        let others = others.files(root, other, extension)?;
        let others: HashSet<_> = others.iter().map(|file| real(file)).collect();
        match files.iter().find(|file| others.contains(&real(file))) {
            None => Ok(files),
            Some(file) => Err(Error::data(
                file,
                "is a shard to train on and a test shard; `train` and `test` name shards of their own",
            )),
        }
    }

    /// Training shards that nobody named, without those that are named for something else.
    fn without_named(&self, mut files: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
        let Layout {
            root, extension, hint, ..
        } = *self;
        let mut named = self.test.files(root, "test", extension)?;
        if let Some(pretrain) = self.pretrain {
            named.extend(pretrain.files(root, "pretrain", extension)?);
        }
        if named.is_empty() {
            return Ok(files);
        }
        let named: HashSet<_> = named.iter().map(|file| real(file)).collect();
        files.retain(|file| !named.contains(&real(file)));
        match files.is_empty() {
            false => Ok(files),
            true => Err(Error::data(
                root,
                format!("holds no .{extension} file to train on but those named for another split; {hint}"),
            )),
        }
    }

    /// Checks that the root is a folder.
    ///
    /// # Errors
    /// [`Error::Config`] where it is not set, [`Error::Data`] where it is none.
    pub fn require_root(&self) -> Result<()> {
        require(!self.root.as_os_str().is_empty(), "root", || {
            "is missing: set it to the folder that holds the shards".into()
        })?;
        let message = match (self.root.is_dir(), self.root.exists()) {
            (true, _) => return Ok(()),
            (false, true) => format!("is not a folder; {}", self.hint),
            (false, false) => format!("there is no such folder; {}", self.hint),
        };
        Err(Error::data(self.root, message))
    }
}

/// A path by which a file is told however its name is written.
fn real(file: &Path) -> PathBuf {
    file.canonicalize().unwrap_or_else(|_| file.into())
}

const TRAIN: &[&str] = &["train", "training"];

/// The training shards: of `root/train`, or with that word in their names, or all of `root` that are no test shards.
///
/// # Errors
/// [`Error::Data`] where there is none, with what would work.
fn train(root: &Path, extension: &str, hint: &str) -> Result<Vec<PathBuf>> {
    if let Some(files) = named(root, extension, TRAIN)? {
        return Ok(files);
    }
    let mut files = in_folder(root, extension)?;
    files.retain(|file| !TESTS.iter().any(|word| has_word(file, word)));
    numbered::require_all(&files)?;
    match files.is_empty() {
        false => Ok(files),
        true => Err(Error::data(
            root,
            format!("holds no .{extension} file to train on; {hint}"),
        )),
    }
}

/// The test shards.
///
/// # Errors
/// [`Error::Data`] where there is none, with what would work.
fn test(root: &Path, extension: &str, hint: &str) -> Result<Vec<PathBuf>> {
    for word in TESTS {
        if let Some(files) = named(root, extension, &[word])? {
            return Ok(files);
        }
    }
    let names = TESTS.join(", ");
    let message = format!(
        "holds no .{extension} file with one of the words {names} in its name, nor such a folder of them; {hint}"
    );
    Err(Error::data(root, message))
}

/// The files of a folder that is called as one of the words, or the files in `root` that have one in their names.
fn named(root: &Path, extension: &str, words: &[&str]) -> Result<Option<Vec<PathBuf>>> {
    for word in words {
        let folder = root.join(word);
        if folder.is_dir() {
            let files = in_folder(&folder, extension)?;
            if !files.is_empty() {
                numbered::require_all(&files)?;
                return Ok(Some(files));
            }
        }
    }
    let mut files = in_folder(root, extension)?;
    files.retain(|file| words.iter().any(|word| has_word(file, word)));
    numbered::require_all(&files)?;
    Ok((!files.is_empty()).then_some(files))
}

/// Returns true if a file's name has this word, in letters of any case: `imagenet-train-000.tar` has `train`.
fn has_word(file: &Path, word: &str) -> bool {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let mut words = name.split(|letter: char| !letter.is_ascii_alphabetic());
    words.any(|found| found.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str], find: fn(&Path, &str, &str) -> Result<Vec<PathBuf>>) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let name = |path: PathBuf| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_string();
        let files = find(folder.path(), "tar", "look elsewhere");
        files
            .map(|files| files.into_iter().map(name).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn splits_are_told_by_the_words_of_names_and_by_folders() {
        let names = ["imagenet-train-00.tar", "imagenet-Val-00.tar", "trainer-0.tar"];
        assert_eq!(found(&names, train).unwrap(), ["imagenet-train-00.tar"]);
        assert_eq!(found(&names, test).unwrap(), ["imagenet-Val-00.tar"]);
        let names = ["train/1.tar", "train/0.tar", "test/2.tar", "validation-0.tar"];
        assert_eq!(found(&names, train).unwrap(), ["train/0.tar", "train/1.tar"]);
        assert_eq!(found(&names, test).unwrap(), ["test/2.tar"]);
        let names = ["0.tar", "1.tar", "test.tar"];
        assert_eq!(found(&names, train).unwrap(), ["0.tar", "1.tar"]);
    }

    /// The training and test shards where these options are set.
    fn split(names: &[&str], options: [&[&str]; 3]) -> [Result<Vec<String>, String>; 2] {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let [train, test, pretrain] =
            options.map(|patterns| Patterns(patterns.iter().map(ToString::to_string).collect()));
        let layout = Layout {
            root: folder.path(),
            train: &train,
            test: &test,
            pretrain: Some(&pretrain),
            extension: "tar",
            hint: "look elsewhere",
        };
        let name = |path: PathBuf| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_string();
        [Split::Train, Split::Test].map(|split| match layout.files(split) {
            Ok(files) => Ok(files.into_iter().map(name).collect()),
            Err(error) => Err(error
                .to_string()
                .replace(&format!("{}", folder.path().display()), "ROOT")),
        })
    }

    #[test]
    fn a_shard_that_is_named_for_another_split_is_not_trained_on() {
        let names = ["a.tar", "b.tar", "c.tar"];
        let [train, test] = split(&names, [&[], &["./c.tar"], &[]]);
        assert_eq!(
            (train.unwrap(), test.unwrap().len()),
            (vec!["a.tar".to_string(), "b.tar".into()], 1)
        );
        let [train, _] = split(&names, [&[], &["c.tar"], &["b.tar"]]);
        assert_eq!(train.unwrap(), ["a.tar"]);
        let [train, _] = split(&names, [&[], &["*.tar"], &[]]);
        let expected = "ROOT: holds no .tar file to train on but those named for another split; look elsewhere";
        assert_eq!(train.unwrap_err(), expected);
        let expected = "is a shard to train on and a test shard; `train` and `test` name shards of their own";
        for found in split(&names, [&["*.tar"], &["c.tar"], &[]]) {
            let error = found.unwrap_err();
            assert!(error == format!("ROOT/c.tar: {expected}"), "{error}");
        }
        // Found by its name, it is no less a test shard.
        let [_, test] = split(&["a.tar", "test.tar"], [&["*.tar"], &[], &[]]);
        assert_eq!(test.unwrap_err(), format!("ROOT/test.tar: {expected}"));
    }

    #[test]
    fn a_split_without_shards_is_an_error() {
        assert!(
            found(&["a.zip"], train)
                .unwrap_err()
                .ends_with(": holds no .tar file to train on; look elsewhere")
        );
        let expected = ": holds no .tar file with one of the words test, testing, val, valid, validation in its name, nor such a folder of \
                        them; look elsewhere";
        let error = found(&["0.tar"], test).unwrap_err();
        assert!(error.ends_with(expected), "{error}");
    }
}
