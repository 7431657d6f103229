//! A config as a tree in which each value knows where it was written.

use super::evaluations::DEFAULTS;
use crate::home;
use fmicl_core::{Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::map::Map;

/// Origin of a value.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A file as a whole.
    File(Arc<Path>),
    /// A line and a column of a file, each counted from 1.
    Place(Arc<Path>, usize, usize),
    /// A `--set`, with the key that it sets.
    Set {
        /// The key.
        key: Arc<str>,
        /// The whole text.
        text: Arc<str>,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Place(path, line, column) => write!(f, "{}:{line}:{column}", path.display()),
            Origin::Set { text, .. } => write!(f, "--set {text}"),
        }
    }
}

impl Origin {
    /// The folder that a path written here is relative to: the file's, or the working directory.
    pub fn folder(&self) -> PathBuf {
        match self {
            Origin::File(path) | Origin::Place(path, ..) => path.with_file_name(""),
            Origin::Set { .. } => PathBuf::new(),
        }
    }

    /// The config error of `key` that begins with the place.
    pub fn error(&self, key: &str, message: &str) -> Error {
        let what = if key.is_empty() {
            message.to_string()
        } else {
            format!("{key}: {message}")
        };
        Error::config(match self {
            // The text begins with the key.
            Origin::Set { key: set, .. } if **set == *key => format!("{self}: {message}"),
            _ => format!("{self}: {what}"),
        })
    }
}

/// A value and where it was written.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its origin.
    pub origin: Origin,
    pub(crate) value: Value,
}

/// A table or an array, whose entries have origins of their own, or anything else.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Table(Map<String, Node>),
    List(Vec<Node>),
    Leaf(toml::Value),
}

impl Node {
    pub(crate) fn new(origin: Origin, value: Value) -> Self {
        Node { origin, value }
    }

    /// A value that was written at one place, whole.
    pub fn of(value: toml::Value, origin: &Origin) -> Self {
        let value = match value {
            toml::Value::Table(table) => {
                let entries = table.into_iter().map(|(key, value)| (key, Node::of(value, origin)));
                Value::Table(entries.collect())
            }
            toml::Value::Array(items) => Value::List(items.into_iter().map(|item| Node::of(item, origin)).collect()),
            leaf => Value::Leaf(leaf),
        };
        Node::new(origin.clone(), value)
    }

    /// This value laid over an older one.
    ///
    /// Tables merge key by key; anything else replaces. A part is replaced whole where its name changes, since
    /// the old one's options mean nothing to the new one; a table without a name keeps the older part's, even
    /// where that was written as a name alone. What merges keeps the older origin: there the value begins.
    pub fn over(self, older: Node) -> Node {
        let Value::Table(newer) = self.value else { return self };
        let mut merged = match older.value {
            Value::Table(table) if newer.get("name").is_none_or(|name| is_same(name, table.get("name"))) => table,
            Value::Leaf(toml::Value::String(name)) if !newer.contains_key("name") => {
                let name = Node::new(older.origin.clone(), Value::Leaf(name.into()));
                Map::from_iter([("name".to_string(), name)])
            }
            _ => return Node::new(self.origin, Value::Table(newer)),
        };
        if newer
            .get(DEFAULTS)
            .is_some_and(|it| matches!(it.value, Value::Leaf(toml::Value::Boolean(false))))
        {
            // A list of evaluations: those that are not in it go, and those that are keep their options.
            merged.retain(|key, _| newer.contains_key(key));
        }
        for (key, node) in newer {
            let node = match merged.get(&key) {
                Some(older) => node.over(older.clone()),
                None => node,
            };
            merged.insert(key, node);
        }
        Node::new(older.origin, Value::Table(merged))
    }

    /// This config with a list of evaluations spelled out as a table, over which options can be laid: each of its names without
    /// options, and `defaults = false`, with which it takes the place of all others.
    #[must_use]
    pub(super) fn with_evaluations_spelled_out(mut self) -> Node {
        if let Value::Table(table) = &mut self.value
            && let Some(Node {
                origin,
                value: Value::List(names),
            }) = table.get("evaluations")
        {
            let is_text = |node: &&Node| matches!(node.value, Value::Leaf(toml::Value::String(_)));
            if names.iter().all(|name| is_text(&name)) {
                let named = names.iter().filter_map(|name| match &name.value {
                    Value::Leaf(toml::Value::String(text)) => {
                        Some((text.clone(), Node::new(name.origin.clone(), Value::Table(Map::new()))))
                    }
                    _ => None,
                });
                let defaults = (
                    DEFAULTS.to_string(),
                    Node::new(origin.clone(), Value::Leaf(false.into())),
                );
                let spelled_out = Map::from_iter(named.chain([defaults]));
                let spelled_out = Node::new(origin.clone(), Value::Table(spelled_out));
                table.insert("evaluations".into(), spelled_out);
            }
        }
        self
    }

    /// This table with the `name` of `own`, where it has none: a file of options alone, such as `views/digits.toml`, is for the
    /// part that extends it.
    #[must_use]
    pub fn of_the_part(mut self, own: &Node) -> Node {
        if let (Value::Table(table), Value::Table(own)) = (&mut self.value, &own.value)
            && let (false, Some(name)) = (table.contains_key("name"), own.get("name"))
        {
            table.insert("name".into(), name.clone());
        }
        self
    }

    /// The value at `key` with the user's folder in place of `~` at the start of each text: what begins so is a path.
    ///
    /// # Errors
    /// A config error at the text, where there is no such folder.
    pub fn at_home(self, key: &str) -> Result<Node> {
        let Node { origin, value } = self;
        let value = match value {
            Value::Leaf(toml::Value::String(text)) => {
                let text = home::expanded(&text).map_err(|why| origin.error(key, &format!("{text}: {why}")))?;
                Value::Leaf(text.into_owned().into())
            }
            leaf @ Value::Leaf(_) => leaf,
            Value::List(items) => {
                let numbered = items.into_iter().enumerate();
                let item = |(index, item): (usize, Node)| item.at_home(&format!("{key}[{index}]"));
                Value::List(numbered.map(item).collect::<Result<_>>()?)
            }
            Value::Table(table) => {
                let dot = if key.is_empty() { "" } else { "." };
                let entry = |(name, node): (String, Node)| {
                    let node = node.at_home(&format!("{key}{dot}{name}"))?;
                    Ok((name, node))
                };
                Value::Table(table.into_iter().map(entry).collect::<Result<_>>()?)
            }
        };
        Ok(Node { origin, value })
    }

    /// Returns true if there is a value at these dotted keys.
    pub fn has(&self, keys: &str) -> bool {
        let mut node = self;
        keys.split('.').all(|key| match &node.value {
            Value::Table(table) => table.get(key.trim()).map(|inner| node = inner).is_some(),
            _ => false,
        })
    }

    /// The value without origins.
    pub fn to_toml(&self) -> toml::Value {
        match &self.value {
            Value::Leaf(value) => value.clone(),
            Value::List(items) => toml::Value::Array(items.iter().map(Node::to_toml).collect()),
            Value::Table(table) => {
                toml::Value::Table(table.iter().map(|(key, node)| (key.clone(), node.to_toml())).collect())
            }
        }
    }

    /// The same error with the place where its key, or the nearest table around it, was written.
    pub fn locate(&self, error: Error) -> Error {
        match error {
            Error::Config { key, problem } => self.nearest(&key).origin.error(&key, &problem.at(&key)),
            other => other,
        }
    }

    /// The value of a key, or the nearest one around it; `key` as serde writes it: `axis[1].values[0]`.
    pub fn nearest(&self, key: &str) -> &Node {
        let key = key.trim_start_matches('.');
        let index = key.strip_prefix('[').and_then(|key| key.split_once(']'));
        let inner = match (&self.value, index) {
            (Value::List(items), Some((index, rest))) => {
                let item = index.parse().ok().and_then(|index: usize| items.get(index));
                item.map(|item| (item, rest))
            }
            (Value::Table(table), None) => {
                // A name may have a dot in it: the longest that the key begins with.
                let after = |name: &String| {
                    key.strip_prefix(&**name)
                        .filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                };
                let inner = table.iter().filter_map(|(name, node)| Some((node, after(name)?)));
                inner.min_by_key(|(_, rest)| rest.len())
            }
            _ => None,
        };
        inner.map_or(self, |(node, rest)| node.nearest(rest))
    }

    /// The folder that a path written at `key` is relative to: its file's, or the working directory.
    pub fn folder_of(&self, key: &str) -> PathBuf {
        self.nearest(key).origin.folder()
    }
}

fn is_same(name: &Node, older: Option<&Node>) -> bool {
    older.is_some_and(|older| name.to_toml() == older.to_toml())
}
