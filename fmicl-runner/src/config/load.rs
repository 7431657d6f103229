//! Loading: a file and those it extends, `--set`, defaults, and the checks.

use super::extends::{extended, read_file, read_text};
use super::misplaced::placed;
use super::tree::{Node, Origin};
use super::{Change, Experiment, parse};
use fmicl_core::registry::{self, BelowZero, Kind};
use fmicl_core::{Error, Part, Result};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// The experiment of a file, with each `key=value` of `sets` laid over it in turn.
///
/// # Errors
/// A config error in one line, `file:line:column: key: what was found and what would work` (`--set key=value: ...`
/// where that is the cause). See [`load_all`] for more than the first.
pub fn load(path: &Path, sets: &[String]) -> Result<Experiment> {
    load_all(path, sets).map_err(|mut problems| problems.swap_remove(0))
}

/// As [`load`], and where several keys are wrong, an error for each (a part's own options are read up to their
/// first error; a key that is missing or checks across keys are looked for once the keys alone are right).
///
/// # Errors
/// At least one, as in [`load`].
pub fn load_all(path: &Path, sets: &[String]) -> Result<Experiment, Vec<Error>> {
    let read = || Ok((Base::read(path)?, Change::parse_all(sets)?));
    let (base, changes) = read().map_err(|error| vec![error])?;
    base.changed(&changes)
}

/// A file and those that it extends, read once for many experiments that begin with it.
pub struct Base {
    path: PathBuf,
    tree: Node,
}

impl Base {
    /// Reads them.
    ///
    /// # Errors
    /// A config error in one line.
    pub fn read(path: &Path) -> Result<Self> {
        let tree = read_file(path, &mut Vec::new())?;
        let path = path.to_path_buf();
        Ok(Base { path, tree })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The experiment with changes, which may come from a file.
    ///
    /// # Errors
    /// As in [`load_all`].
    pub fn changed(&self, changes: &[Change]) -> Result<Experiment, Vec<Error>> {
        experiment(&self.path, self.tree.clone(), changes, extended)
    }
}

/// An experiment that was loaded, with changes.
///
/// # Errors
/// As in [`load`].
pub(crate) fn change(loaded: &Experiment, changes: &[Change]) -> Result<Experiment> {
    let path = Path::new("the experiment");
    let tree = match loaded.source() {
        Some(tree) => tree.clone(),
        None => Node::of(loaded.to_table()?.into(), &Origin::File(path.into())),
    };
    experiment(path, tree, changes, extended).map_err(|mut problems| problems.swap_remove(0))
}

/// As [`load_all`], of a text that `path` might hold and that extends no other file; nothing is read.
///
/// # Errors
/// At least one, as in [`load`].
pub fn load_text(path: &Path, text: &str, sets: &[String]) -> Result<Experiment, Vec<Error>> {
    let read = || Ok((parse::file(path, text)?, Change::parse_all(sets)?));
    let (tree, changes) = read().map_err(|error| vec![error])?;
    experiment(path, tree, &changes, Ok)
}

/// The experiment of a tree after changes; `extend` adds what its tables take from other files.
fn experiment(
    path: &Path,
    tree: Node,
    changes: &[Change],
    extend: fn(Node) -> Result<Node>,
) -> Result<Experiment, Vec<Error>> {
    let source = laid_over(tree, changes);
    // A `--set` of the command line must still be there; a sweep's change may be for a part that a later one replaces.
    for (index, change) in changes
        .iter()
        .enumerate()
        .filter(|(_, change)| change.is_of_the_command_line())
    {
        if !source.has(change.key()) {
            let message = "a later --set names another part in its place; give it after that one";
            return Err(vec![change.wrong(message)]);
        }
        if let Some(later) = changes[index + 1..].iter().find(|later| change.is_undone_by(later)) {
            let message = format!(
                "a later one, of `{}`, gives another value in its place; give it after that one",
                later.key()
            );
            return Err(vec![change.wrong(&message)]);
        }
    }
    let source = source.at_home("").and_then(extend).map_err(|error| vec![error])?;
    let toml::Value::Table(mut table) = source.to_toml() else {
        return Err(vec![Error::config(format!(
            "{}: --set replaced the whole file",
            path.display()
        ))]);
    };
    Experiment::name_views(&mut table);
    let in_words = |error| source.locate(placed(error, &table));
    let (experiment, below_zero) =
        read(table.clone()).map_err(|errors| errors.into_iter().map(in_words).collect::<Vec<_>>())?;
    let wrong = below_zero.among(experiment.validate());
    if !wrong.is_empty() {
        return Err(wrong.into_iter().map(|error| source.locate(error)).collect());
    }
    Ok(experiment.with_source(source))
}

/// Reads an experiment, every value once: behind the first key at fault, each of the others by itself.
fn read(table: toml::Table) -> Result<(Experiment, BelowZero), Vec<Error>> {
    let first = match Experiment::read(table.clone()) {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    // Without a key, it is that one is missing.
    let top = |error: &Error| match error {
        Error::Config { key, .. } => key.split(['.', '[']).next().unwrap_or_default().to_string(),
        _ => String::new(),
    };
    let at_fault = top(&first);
    let unread = table.into_iter().skip_while(|(key, _)| *key != at_fault).skip(1);
    let alone = |entry| registry::read_options::<Experiment>(toml::Table::from_iter([entry])).err();
    let others = unread.filter_map(alone).filter(|error| !top(error).is_empty());
    Err(std::iter::once(first).chain(others).collect())
}

/// The changes in turn over a tree.
fn laid_over(tree: Node, changes: &[Change]) -> Node {
    changes.iter().fold(tree, |older, change| change.tree().over(older))
}

/// A file of another kind than an experiment's, read with the same care: an error names the file, the line and the key.
///
/// # Errors
/// A config error in one line.
pub fn read_file_as<T: DeserializeOwned>(path: &Path) -> Result<(T, Node)> {
    let source = parse::file(path, &read_text(path)?)?;
    Ok((read_as(&source)?, source))
}

/// Tables that `place` gave, with changes laid over them, read with the same care; and where each value was written.
///
/// # Errors
/// A config error in one line.
pub(crate) fn read_changed<T: DeserializeOwned>(
    place: &Path,
    tables: toml::Table,
    changes: &[Change],
) -> Result<(T, Node)> {
    let tree = Node::of(tables.into(), &Origin::File(place.into()));
    let source = laid_over(tree, changes).at_home("")?;
    Ok((read_as(&source)?, source))
}

fn read_as<T: DeserializeOwned>(source: &Node) -> Result<T> {
    match source.to_toml() {
        toml::Value::Table(table) => registry::read_options(table).map_err(|error| source.locate(error)),
        _ => Err(source.origin.error("", "expected a table")),
    }
}

/// A part by its name, with each `key=value` of `sets` for its options.
///
/// # Errors
/// A config error in one line.
pub fn load_part<T: Kind + ?Sized>(name: &str, sets: &[String]) -> Result<Part<T>> {
    // An unknown name is at fault by itself, whatever is set.
    registry::find::<T>(name)?;
    let changes = Change::parse_all(sets)?;
    let Some((first, others)) = changes.split_first() else {
        return Part::new(name, toml::Table::new());
    };
    let source = laid_over(first.tree(), others).at_home("")?;
    match source.to_toml() {
        toml::Value::Table(options) => Part::new(name, options).map_err(|error| source.locate(error)),
        _ => Err(source.origin.error("", "expected a table")),
    }
}
