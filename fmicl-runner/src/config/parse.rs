//! From the text of a file to a [`Node`].

use super::broken;
use super::tree::{Node, Origin, Value};
use fmicl_core::Result;
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, map::Map};

/// The tree of a file's text; the root's origin is the file as a whole.
pub(super) fn file(path: &Path, text: &str) -> Result<Node> {
    let shown: Arc<Path> = path.into();
    let at = |offset: usize| {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Origin::Place(
            shown.clone(),
            1 + before.matches('\n').count(),
            1 + line.chars().count(),
        )
    };
    let root = DeTable::parse(text).map_err(|error| {
        let (offset, words) = broken::words(text, &error);
        at(offset).error("", &words)
    })?;
    let whole = Value::Table(table(root.into_inner(), &at)?);
    Ok(Node::new(Origin::File(shown.clone()), whole).with_evaluations_spelled_out())
}

/// TOML allows more numbers than we can hold.
pub(super) const TOO_LARGE: &str = "a number beyond 64 bits";

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
            Value::Leaf(leaf.map_err(|_| at(offset).error("", TOO_LARGE))?)
        }
    };
    Ok(Node::new(at(offset), value))
}
