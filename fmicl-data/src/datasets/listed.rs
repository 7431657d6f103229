//! Photos that a list names, each with its class: the format of most datasets for transfer.

use super::files::read_at_most;
use super::links::{FollowLinks, Links};
use super::listing::Listing;
use super::photos::Photos;
use fmicl_core::{Error, Result, Samples};
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::path::{Component, Path, PathBuf};

/// Photos below a dataset's folder, each named once. Whether they are there is seen in listings of their folders: to ask the system for
/// each file takes long on a shared disk.
pub(super) struct Listed<'a> {
    root: &'a Path,
    hint: &'a str,
    links: Links,
    /// The photos of each folder that no list has named yet.
    folders: HashMap<PathBuf, HashSet<OsString>>,
    photos: Photos,
}

impl<'a> Listed<'a> {
    /// None yet. `hint` says how to restore a missing file.
    pub fn new(root: &'a Path, classes: &[OsString], hint: &'a str) -> Self {
        Listed {
            root,
            hint,
            // Official archives have no links: there is nobody to allow more.
            links: Links::new(&[root], FollowLinks::Within),
            folders: HashMap::new(),
            photos: Photos::new(root, classes),
        }
    }

    /// Adds the photo at `path`, which is below the root; `label` counts from 0. `entry` is its place in the file `list`.
    ///
    /// # Errors
    /// [`Error::Data`] with the list and the place in it if there is no such photo, or it has been named before; errors of
    /// [`Listing::of`] for its folder.
    pub fn add(&mut self, list: &Path, entry: impl Display, path: &str, label: usize) -> Result<()> {
        let path = Path::new(path);
        let (Some(folder), Some(name), true) = (path.parent(), path.file_name(), is_below(path)) else {
            let message = format!(
                "{entry}: `{}` is not a path in this dataset; {}",
                path.display(),
                self.hint
            );
            return Err(Error::data(list, message));
        };
        if !self.folders.contains_key(folder) {
            let listing = Listing::of(&self.root.join(folder), &self.links, self.hint)?;
            self.folders.insert(folder.into(), listing.photos.into_iter().collect());
        }
        let is_there = self.folders.get_mut(folder).is_some_and(|photos| photos.remove(name));
        if !is_there {
            let (name, folder) = (name.display(), folder.display());
            let message = format!(
                "{entry}: `{name}` is not a photo in `{folder}`, or has been named before; {}",
                self.hint
            );
            return Err(Error::data(list, message));
        }
        self.photos.push(folder, name, label);
        Ok(())
    }

    /// Adds the photo that a line names.
    ///
    /// # Errors
    /// As [`Listed::add`].
    pub fn add_line(&mut self, lines: &Lines, line: usize, path: &str, label: usize) -> Result<()> {
        self.add(&lines.path, format_args!("line {line}"), path, label)
    }

    /// The split.
    ///
    /// # Errors
    /// [`Error::Data`] if the file `list`, the last one, named none.
    pub fn samples(self, list: &Path) -> Result<Box<dyn Samples>> {
        match self.photos.count() {
            0 => Err(Error::data(list, format!("is empty; {}", self.hint))),
            _ => Ok(Box::new(self.photos)),
        }
    }
}

/// Returns true if a path leads to no other folder than the ones it names.
fn is_below(path: &Path) -> bool {
    path.components()
        .all(|component| matches!(component, Component::Normal(_)))
}

/// A text file of lines.
pub(super) struct Lines {
    pub path: PathBuf,
    text: String,
}

/// More than any list has.
const MOST: u64 = 16 << 20;

impl Lines {
    /// # Errors
    /// [`Error::Data`] if there is no such file, or it is no text; `hint` ends the sentence.
    pub fn read(path: PathBuf, hint: &str) -> Result<Self> {
        let bytes = read_at_most(&path, MOST, hint)?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Lines { path, text }),
            Err(_) => Err(Error::data(path, format!("is no text; {hint}"))),
        }
    }

    /// Lines that are not empty, with their numbers from 1.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().map(str::trim).enumerate();
        lines
            .filter(|(_, line)| !line.is_empty())
            .map(|(index, line)| (index + 1, line))
    }

    /// An error about a line.
    pub fn wrong(&self, line: usize, what: impl Display) -> Error {
        Error::data(&self.path, format!("line {line}: {what}"))
    }

    /// The names of classes, one a line.
    ///
    /// # Errors
    /// [`Error::Data`] if there are none, or one is given twice.
    pub fn classes(&self, hint: &str) -> Result<Vec<OsString>> {
        let mut classes = Vec::new();
        let mut seen = HashSet::new();
        for (line, class) in self.iter() {
            if !seen.insert(class) {
                return Err(self.wrong(line, format!("the class `{class}` is given twice; {hint}")));
            }
            classes.push(OsString::from(class));
        }
        match classes.is_empty() {
            true => Err(Error::data(&self.path, format!("is empty; {hint}"))),
            false => Ok(classes),
        }
    }
}

/// The numbers of classes by their names.
pub(super) struct Numbers<'a>(HashMap<&'a OsStr, usize>);

impl<'a> Numbers<'a> {
    pub fn new(classes: &'a [OsString]) -> Self {
        Numbers(
            classes
                .iter()
                .enumerate()
                .map(|(number, name)| (name.as_os_str(), number))
                .collect(),
        )
    }

    /// The number of a class that a line names.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no such class; `known` says where they are from.
    pub fn of(&self, class: &str, lines: &Lines, line: usize, known: &str) -> Result<usize> {
        let number = self.0.get(OsStr::new(class)).copied();
        number.ok_or_else(|| {
            lines.wrong(
                line,
                format!("the class `{class}` is not among the {} of {known}", self.0.len()),
            )
        })
    }
}
