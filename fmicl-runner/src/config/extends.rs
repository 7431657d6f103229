//! `extends`: what a file or a table does not say stands in another file.

use super::misplaced::placed;
use super::tree::{Node, Value};
use super::{Eval, Train, parse};
use fmicl_core::registry::fields;
use fmicl_core::{Error, Problem, Result, beside, encoding};
use std::path::{Path, PathBuf};

/// The most bytes of a config file.
const MOST: u64 = 1 << 20;

/// The tree with what its tables take from the files that their `extends` names. Runs after `--set`: until then `extends` is
/// a key like others, and the last one written counts.
///
/// # Errors
/// A config error at an `extends` whose file cannot be read, or that leads back to it.
pub(super) fn extended(tree: Node) -> Result<Node> {
    require_known(&tree)?;
    within(tree, "", &mut Vec::new())
}

/// Checks that tables of a section that take keys from a file belong there, before that file is looked for.
fn require_known(tree: &Node) -> Result<()> {
    let Value::Table(table) = &tree.value else {
        return Ok(());
    };
    for (section, known) in [("train", fields::<Train>()), ("eval", fields::<Eval>())] {
        let Some(Value::Table(inner)) = table.get(section).map(|node| &node.value) else {
            continue;
        };
        let is_unknown = |name: &String| !known.contains(&&**name) && inner[name].has("extends");
        let Some(name) = inner.keys().find(|name| is_unknown(name)) else {
            continue;
        };
        let error = Error::from(Problem::UnknownKey { known }).at(&format!("{section}.{name}"));
        let toml::Value::Table(written) = tree.to_toml() else {
            return Ok(());
        };
        return Err(tree.locate(placed(error, &written)));
    }
    Ok(())
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
    let older = within(older.at_home(key)?, key, chain)?.of_the_part(&own);
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

/// A file laid over the one it extends. `chain` holds the files that led here.
pub(super) fn read_file(path: &Path, chain: &mut Vec<PathBuf>) -> Result<Node> {
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
    let older = read_extended(extends.at_home("extends")?, "extends", chain)?;
    let file = tree.origin.clone();
    Ok(Node {
        origin: file,
        ..tree.over(older)
    })
}

/// The text of a config file.
pub(super) fn read_text(path: &Path) -> Result<String> {
    let hint = match path.exists() {
        true => String::new(),
        false => beside(path),
    };
    let bytes =
        fmicl_core::read_file(path, MOST, &format!("name a TOML file{hint}")).map_err(Error::named_in_config)?;
    let text = encoding::whole(&bytes, path).map_err(Error::named_in_config)?;
    Ok(text.to_string())
}
