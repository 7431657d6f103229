//! Which of a checkpoint's dictionaries holds the weights.

use super::nodes::{Id, Node, Nodes, View};
use std::collections::BTreeMap;

/// Where checkpoints have their weights, in the order in which they are looked for.
const KEYS: [&str; 5] = ["state_dict", "model_state_dict", "model", "module", "net"];

/// The tensors of a dictionary.
pub struct Found {
    pub tensors: BTreeMap<String, View>,
    pub key: String,
    pub beside: Vec<String>,
}

/// The tensors at `key`; without one of the top, or of the one dictionary of tensors in it, or of one by a usual name.
///
/// # Errors
/// None there, in words that follow the file's name.
pub fn find(nodes: &Nodes, top: Id, key: Option<&str>) -> Result<Found, String> {
    if let Node::Object(name) = nodes.get(top) {
        return Err(format!(
            "holds an object of `{name}`, a program, and no weights alone: in Python, torch.save(model.state_dict(), ...)"
        ));
    }
    let within = with_tensors(nodes, top);
    let key = match key {
        Some(key) => key.to_string(),
        None if !tensors(nodes, top).is_empty() => String::new(),
        None => match (
            &within[..],
            KEYS.into_iter().find(|key| within.iter().any(|it| it == key)),
        ) {
            ([only], _) => only.clone(),
            (_, Some(key)) => key.to_string(),
            ([], _) => return Err(format!("holds no tensors; {}", described(nodes, top))),
            (several, None) => {
                return Err(format!("holds tensors at {}: name one with --key", several.join(", ")));
            }
        },
    };
    let mut dict = top;
    for part in key.split('.').filter(|part| !part.is_empty()) {
        dict = nodes
            .value(dict, part)
            .ok_or_else(|| format!("has nothing at `{key}`; {}", described(nodes, top)))?;
    }
    let found = tensors(nodes, dict);
    if found.is_empty() {
        return Err(format!("has no tensors at `{key}`; {}", described(nodes, top)));
    }
    let own = key.split('.').next().unwrap_or_default();
    let beside = match key.is_empty() {
        true => names(nodes, top)
            .filter(|name| !found.contains_key(*name))
            .map(str::to_string)
            .collect(),
        false => {
            let rest = names(nodes, dict).filter(|name| !found.contains_key(*name));
            let top = names(nodes, top).filter(|name| *name != own);
            top.map(str::to_string)
                .chain(rest.map(|name| format!("{key}.{name}")))
                .collect()
        }
    };
    Ok(Found {
        tensors: found,
        key,
        beside,
    })
}

/// What is at the top.
fn described(nodes: &Nodes, top: Id) -> String {
    let names: Vec<_> = names(nodes, top).take(10).collect();
    let dicts = with_tensors(nodes, top);
    match (&names[..], &dicts[..]) {
        ([], _) => "it is not a dictionary of named tensors".into(),
        (names, []) => format!("its keys are {}", names.join(", ")),
        (_, dicts) => format!("there are tensors at {}", dicts.join(", ")),
    }
}

/// The text keys of a dictionary.
fn names(nodes: &Nodes, dict: Id) -> impl Iterator<Item = &str> {
    let items = match nodes.get(dict) {
        Node::Dict(items) => &items[..],
        _ => &[],
    };
    items.iter().filter_map(|(name, _)| nodes.text(*name))
}

/// The named tensors that lie in a dictionary itself.
fn tensors(nodes: &Nodes, dict: Id) -> BTreeMap<String, View> {
    let Node::Dict(items) = nodes.get(dict) else {
        return BTreeMap::new();
    };
    let tensor = |&(name, value): &(Id, Id)| match nodes.get(value) {
        Node::Tensor(view) => Some((nodes.text(name)?.to_string(), view.clone())),
        _ => None,
    };
    items.iter().filter_map(tensor).collect()
}

/// The keys of the dictionaries in a dictionary that hold named tensors.
fn with_tensors(nodes: &Nodes, dict: Id) -> Vec<String> {
    let Node::Dict(items) = nodes.get(dict) else {
        return Vec::new();
    };
    let holds = |&(name, value): &(Id, Id)| {
        let there = !tensors(nodes, value).is_empty();
        there.then(|| nodes.text(name).map(str::to_string)).flatten()
    };
    items.iter().filter_map(holds).collect()
}
