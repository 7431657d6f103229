//! Loading: a file and those it extends, `--set`, defaults, and the checks.

use super::misplaced::placed;
use super::negative::out_of_range;
use super::tree::{Node, Origin, Value};
use super::{Experiment, parse};
use fmicl_core::registry::{self, Kind};
use fmicl_core::{Error, Part, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The experiment of a file, with each `key=value` of `sets` laid over it in turn.
///
/// # Errors
/// A config error in one line, `file:line: key: what was found and what would work` (`--set key=value: ...`
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
    let changes: Vec<Change> = sets.iter().cloned().map(Change::from).collect();
    let base = Base::read(path).map_err(|error| vec![error])?;
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
        experiment(&self.path, self.tree.clone(), changes)
    }
}

/// An experiment that was loaded, with each `key=value` of `sets` laid over it.
///
/// # Errors
/// As in [`load`].
pub(crate) fn change(loaded: &Experiment, sets: &[String]) -> Result<Experiment> {
    let changes: Vec<Change> = sets.iter().cloned().map(Change::from).collect();
    let path = Path::new("the experiment");
    let tree = match loaded.source() {
        Some(tree) => tree.clone(),
        None => parse::file(path, &loaded.to_toml()?)?,
    };
    experiment(path, tree, &changes).map_err(|mut problems| problems.swap_remove(0))
}

/// As [`load_all`], of a text that `path` might hold and that extends no other file; nothing is read.
///
/// # Errors
/// At least one, as in [`load`].
pub fn load_text(path: &Path, text: &str, sets: &[String]) -> Result<Experiment, Vec<Error>> {
    let changes: Vec<Change> = sets.iter().cloned().map(Change::from).collect();
    let tree = parse::file(path, text).map_err(|error| vec![error])?;
    experiment(path, tree, &changes)
}

fn experiment(path: &Path, tree: Node, changes: &[Change]) -> Result<Experiment, Vec<Error>> {
    let change = |tree, change: &Change| Ok(parse::set(&change.text, change.origin.as_ref())?.over(tree));
    let source = changes.iter().try_fold(tree, change).map_err(|error| vec![error])?;
    // What a file of changes gives may be for a part that another one replaces; who writes a command line means all of it.
    let is_lost = |change: &&Change| change.origin.is_none() && !source.has(change.key());
    if let Some(lost) = changes.iter().find(is_lost) {
        let message = "a later --set names another part in its place; give it after that one";
        return Err(vec![lost.wrong(message)]);
    }
    let source = source.at_home("").map_err(|error| vec![error])?;
    let toml::Value::Table(table) = source.to_toml() else {
        return Err(vec![Error::config(format!(
            "{}: --set replaced the whole file",
            path.display()
        ))]);
    };
    let wrong: Vec<_> = table.iter().filter_map(|(key, value)| error_at(key, value)).collect();
    if !wrong.is_empty() {
        let in_words = |error| source.locate(out_of_range(error, &source));
        return Err(wrong.into_iter().map(in_words).collect());
    }
    let experiment = Experiment::read(table).map_err(|error| vec![source.locate(error)])?;
    let wrong = experiment.validate();
    if !wrong.is_empty() {
        return Err(wrong.into_iter().map(|error| source.locate(error)).collect());
    }
    Ok(experiment.with_source(source))
}

/// A `key=value` that changes an experiment.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
pub struct Change {
    /// The text, as `--set` takes it.
    pub text: String,
    /// Where it was written, if not on the command line.
    pub origin: Option<Origin>,
}

impl From<String> for Change {
    fn from(text: String) -> Self {
        Change { text, origin: None }
    }
}

impl Change {
    /// Whether it is the experiment's seed that it changes.
    pub fn sets_the_seed(&self) -> bool {
        self.key() == "seed"
    }

    /// What it changes, as dotted keys.
    pub fn key(&self) -> &str {
        self.text.split('=').next().unwrap_or_default().trim()
    }

    /// Whether its own value says what is at these dotted keys.
    pub fn says(&self, keys: &str) -> bool {
        parse::set(&self.text, None).is_ok_and(|change| change.has(keys))
    }

    /// The config error about it, with its place.
    pub fn wrong(&self, message: &str) -> Error {
        match &self.origin {
            Some(origin) => origin.error("", &format!("`{}`: {message}", self.text)),
            None => Error::config(format!("--set {}: {message}", self.text)),
        }
    }
}

/// A file of another kind than an experiment's, read with the same care: an error names the file, the line and the key.
///
/// # Errors
/// A config error in one line.
pub fn read_file_as<T: serde::de::DeserializeOwned>(path: &Path) -> Result<(T, Node)> {
    let text = read_text(path)?;
    let source = parse::file(path, &text)?;
    match source.to_toml() {
        toml::Value::Table(table) => match registry::read_options(table) {
            Ok(file) => Ok((file, source)),
            Err(error) => Err(source.locate(error)),
        },
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
    let mut tree: Option<Node> = None;
    for set in sets {
        let set = parse::set(set, None)?.at_home("")?;
        tree = Some(match tree {
            Some(older) => set.over(older),
            None => set,
        });
    }
    match tree.as_ref().map(Node::to_toml) {
        Some(toml::Value::Table(options)) => Part::new(name, options),
        _ => Part::new(name, toml::Table::new()),
    }
    .map_err(|error| match &tree {
        Some(tree) => tree.locate(error),
        None => error,
    })
}

/// A table with each `key=value` of `sets` laid over it in turn: tables merge key by key, anything else replaces.
///
/// # Errors
/// A config error where a text is no `key=value`.
pub(crate) fn changed(table: toml::Table, sets: &[String]) -> Result<toml::Table> {
    fn lay(newer: toml::Table, over: &mut toml::Table) {
        for (key, value) in newer {
            match (value, over.get_mut(&key)) {
                (toml::Value::Table(newer), Some(toml::Value::Table(older))) => lay(newer, older),
                (value, _) => drop(over.insert(key, value)),
            }
        }
    }
    sets.iter().try_fold(table, |mut table, set| {
        if let toml::Value::Table(newer) = parse::set(set, None)?.at_home("")?.to_toml() {
            lay(newer, &mut table);
        }
        Ok(table)
    })
}

/// What is wrong with a top-level key, read as if it were alone.
fn error_at(key: &str, value: &toml::Value) -> Option<Error> {
    let alone = toml::Table::from_iter([(key.to_string(), value.clone())]);
    let error = registry::read_options::<Experiment>(alone).err()?;
    // Without a key, it is about one of the others, which are missing here.
    matches!(&error, Error::Config { key, .. } if !key.is_empty()).then(|| placed(error))
}

/// The most bytes of a config file.
const MOST: u64 = 1 << 20;

/// The text of a config file.
fn read_text(path: &Path) -> Result<String> {
    let bytes = fmicl_core::read_file(path, MOST, "name a TOML file").map_err(Error::named_in_config)?;
    String::from_utf8(bytes).map_err(|_| Error::config(format!("{}: is no text in UTF-8", path.display())))
}

/// A file laid over the one it extends. `chain` holds the files that led here.
fn read_file(path: &Path, chain: &mut Vec<PathBuf>) -> Result<Node> {
    let refused = |error| Error::config(format!("{}: {error}", path.display()));
    let text = read_text(path)?;
    let mut tree = parse::file(path, &text)?;
    chain.push(path.canonicalize().map_err(refused)?);
    let Value::Table(table) = &mut tree.value else {
        return Ok(tree);
    };
    let Some(extends) = table.remove("extends") else {
        return Ok(tree);
    };
    let extends = extends.at_home("extends")?;
    let Value::Leaf(toml::Value::String(parent)) = &extends.value else {
        return Err(extends
            .origin
            .error("extends", "expected a text in quotes, the path of another experiment"));
    };
    let parent = path.with_file_name("").join(parent);
    if parent.canonicalize().is_ok_and(|parent| chain.contains(&parent)) {
        let message = format!(
            "{} is being read already: a file cannot extend itself",
            parent.display()
        );
        return Err(extends.origin.error("extends", &message));
    }
    let older = read_file(&parent, chain).map_err(|error| match error {
        _ if parent.exists() => error,
        missing => extends.origin.error("extends", &missing.to_string()),
    })?;
    let file = tree.origin.clone();
    Ok(Node {
        origin: file,
        ..tree.over(older)
    })
}
