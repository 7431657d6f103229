//! `extends`: what a file or a table does not say stands in another file.

use super::load::read_file;
use super::tree::{Node, Value};
use fmicl_core::Result;
use std::path::PathBuf;

/// The tree with what its tables take from the files that their `extends` names. Until then it is a key like others, so
/// that the last one that is written counts, whole.
///
/// # Errors
/// A config error at an `extends` whose file cannot be read, or that leads back to it.
pub(super) fn extended(tree: Node) -> Result<Node> {
    within(tree, "", &mut Vec::new())
}

/// The value at `key`; `chain` holds the files that led here.
fn within(node: Node, key: &str, chain: &mut Vec<PathBuf>) -> Result<Node> {
    let Node { origin, value } = node;
    let mut table = match value {
        Value::Table(table) => table,
        Value::List(items) => {
            let numbered = items.into_iter().enumerate();
            let items = numbered.map(|(index, item)| within(item, &format!("{key}[{index}]"), chain));
            let items = items.collect::<Result<_>>()?;
            return Ok(Node::new(origin, Value::List(items)));
        }
        leaf => return Ok(Node::new(origin, leaf)),
    };
    let extends = table.remove("extends");
    let dot = if key.is_empty() { "" } else { "." };
    let entries = table.into_iter();
    let entries = entries.map(|(name, node)| Ok((name.clone(), within(node, &format!("{key}{dot}{name}"), chain)?)));
    let own = Node::new(origin.clone(), Value::Table(entries.collect::<Result<_>>()?));
    let Some(extends) = extends else { return Ok(own) };
    let depth = chain.len();
    let older = read_extended(extends, &format!("{key}{dot}extends"), chain)?;
    let older = within(older.at_home(key)?, key, chain)?;
    chain.truncate(depth);
    // The table begins where it is written.
    Ok(Node {
        origin,
        ..own.over(older)
    })
}

/// The file that the value of an `extends`, which stands at `key`, names: relative to the file it is written in.
pub(super) fn read_extended(extends: Node, key: &str, chain: &mut Vec<PathBuf>) -> Result<Node> {
    let Value::Leaf(toml::Value::String(path)) = &extends.value else {
        let expected = "expected a text in quotes, the path of another file";
        return Err(extends.origin.error(key, expected));
    };
    let path = extends.origin.folder().join(path);
    if path.canonicalize().is_ok_and(|path| chain.contains(&path)) {
        let again = format!("{} is being read already: a file cannot extend itself", path.display());
        return Err(extends.origin.error(key, &again));
    }
    read_file(&path, chain).map_err(|error| match error {
        _ if path.exists() => error,
        missing => extends.origin.error(key, &missing.to_string()),
    })
}
