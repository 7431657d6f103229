//! From the text of a file, or of a `--set`, to a [`Node`].

use super::broken;
use super::tree::{Node, Origin, Value};
use fmicl_core::{Error, Result};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, map::Map};

/// The tree of a file's text; the root's origin is the file as a whole.
pub(super) fn file(path: &Path, text: &str) -> Result<Node> {
    let shown: Arc<Path> = path.into();
    let line = |offset: usize| 1 + text[..offset.min(text.len())].matches('\n').count();
    let at = |offset: usize| Origin::Line(shown.clone(), line(offset));
    let root = DeTable::parse(text).map_err(|error| {
        let (offset, words) = broken::words(text, &error);
        at(offset).error("", &words)
    })?;
    Ok(Node::new(
        Origin::File(shown.clone()),
        Value::Table(table(root.into_inner(), &at)?),
    ))
}

/// The most parts of a key: a table within a table for each must not exhaust the stack.
const DEEPEST: usize = 64;

/// The tree of `a.b=v`: `v` as TOML or else as a text, in tables down to its key. `origin`: where it was written, if not on
/// the command line.
pub(super) fn set(text: &str, origin: Option<&Origin>) -> Result<Node> {
    let malformed = || match origin {
        Some(origin) => origin.error("", &format!("`{text}`: expected key=value, such as train.epochs=10")),
        None => Error::config(format!("--set {text}: expected key=value, such as train.epochs=10")),
    };
    let (key, value) = text.split_once('=').ok_or_else(malformed)?;
    let key = key.trim();
    if key.split('.').any(str::is_empty) || key.split('.').count() > DEEPEST {
        return Err(malformed());
    }
    let origin = origin.cloned().unwrap_or_else(|| Origin::Set {
        key: key.into(),
        text: text.into(),
    });
    let at = |_| origin.clone();
    let value = match DeValue::parse(value.trim()) {
        Ok(value) => node(0, value, &at)?,
        // What begins like a table, a list or a text in quotes was meant as one.
        Err(error) if value.trim().starts_with(['{', '[', '"', '\'']) => {
            return Err(origin.error("", &broken::words(value.trim(), &error).1));
        }
        Err(_) => Node::new(origin.clone(), Value::Leaf(value.trim().into())),
    };
    Ok(key.rsplit('.').fold(value, |value, key| {
        Node::new(origin.clone(), Value::Table(Map::from_iter([(key.to_string(), value)])))
    }))
}

/// `at` turns an offset in the text into an origin.
fn table(entries: DeTable, at: &dyn Fn(usize) -> Origin) -> Result<Map<String, Node>> {
    let named = |(key, value): (Spanned<DeString>, _)| {
        let node = node(key.span().start, value, at)?;
        Ok((key.into_inner().into_owned(), node))
    };
    entries.into_iter().map(named).collect()
}

fn node(offset: usize, value: Spanned<DeValue>, at: &dyn Fn(usize) -> Origin) -> Result<Node> {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::Table(entries) => Value::Table(table(entries, at)?),
        DeValue::Array(items) => {
            let item = |item: Spanned<DeValue>| node(item.span().start, item, at);
            Value::List(items.into_iter().map(item).collect::<Result<_>>()?)
        }
        leaf => {
            let leaf = toml::Value::deserialize(ValueDeserializer::from(Spanned::new(span, leaf)));
            // TOML allows more numbers than we can hold.
            Value::Leaf(leaf.map_err(|_| at(offset).error("", "a number beyond 64 bits"))?)
        }
    };
    Ok(Node::new(at(offset), value))
}
