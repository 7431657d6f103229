//! The shards of a split where nobody names them: those in a folder of its name, or whose own names have it as a word.

use crate::numbered;
use crate::patterns::{Patterns, in_folder};
use fmicl_core::{Error, Result, Split, require};
use fmicl_data::datasets::{TESTS, folders_called};
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

    /// A line for each test split that is there, and is not used since nobody named it and there is one before it.
    pub fn unused(&self) -> Vec<String> {
        if !self.test.is_empty() {
            return vec![];
        }
        // Those of which some are missing are there, too.
        let found = |word: &&'static str| match named(self.root, self.extension, &[word]) {
            Ok(files) => Some((*word, files?)),
            Err(_) => Some((*word, vec![])),
        };
        let mut splits = TESTS.iter().filter_map(found);
        let Some((taken, mut known)) = splits.next() else {
            return vec![];
        };
        let mut notes = Vec::new();
        for (word, files) in splits {
            let is_new = files.iter().any(|file| !known.contains(file));
            known.extend(files);
            if is_new {
                notes.push(format!(
                    "{}: the .{} files of `{word}` are not used, since the test split is `{taken}`; `test` names others",
                    self.root.display(),
                    self.extension
                ));
            }
        }
        notes
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
        true => {
            let instead = other_formats(root, extension);
            let message = format!("holds no .{extension} file to train on{instead}; {hint}");
            Err(Error::data(root, message))
        }
    }
}

/// What makes Parquet files of Arrow files.
pub(crate) const FROM_ARROW: &str = "`datasets.load_from_disk(FOLDER).to_parquet(FILE)` writes it as one";

/// The beginning of a sentence about files of another format that lie in `root` or a folder in it, and what makes the right ones.
fn other_formats(root: &Path, extension: &str) -> String {
    if extension != "parquet" {
        return String::new();
    }
    let folders = std::fs::read_dir(root).into_iter().flatten().flatten();
    let folders = folders.map(|entry| entry.path()).filter(|path| path.is_dir());
    let mut places = std::iter::once(root.to_path_buf()).chain(folders);
    let has_some = |place: PathBuf| in_folder(&place, "arrow").is_ok_and(|files| !files.is_empty());
    match places.any(has_some) {
        true => format!(", but an .arrow file, which is not read: {FROM_ARROW}"),
        false => String::new(),
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
    for name in folders_called(root, words) {
        let files = in_folder(&root.join(name), extension)?;
        if !files.is_empty() {
            numbered::require_all(&files)?;
            return Ok(Some(files));
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
mod tests;
