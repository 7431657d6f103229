//! `fmicl list`: the registered parts, printed from the registry alone.

mod reference;

use crate::command::{Command, Group, Outcome};
use crate::wrap;
use clap::Args;
use fmicl_core::registry::{self, KindInfo, Listing};
use fmicl_core::{Error, Result};
use std::io::{self, Write};

#[derive(Debug, Args)]
struct List {
    /// Only this kind of part, such as divergence
    kind: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print a reference in Markdown, with a line for each option
    #[arg(long, conflicts_with = "json")]
    doc: bool,
}

crate::command!(
    "list",
    List,
    Group::Inspect,
    "List the registered parts, their options and where they come from"
);

impl Command for List {
    fn run(self) -> Outcome {
        Ok(list(&self)?)
    }
}

/// Prints the parts of one kind, or of all.
fn list(list: &List) -> anyhow::Result<()> {
    let kinds = match &list.kind {
        Some(name) => vec![find(name)?],
        None => registry::kinds(),
    };
    if list.json {
        let parts: Vec<_> = kinds.iter().flat_map(|kind| (kind.list)()).collect();
        writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&parts)?)?;
        return Ok(());
    }
    if list.doc {
        return Ok(io::stdout().write_all(reference::markdown(&kinds).as_bytes())?);
    }
    let columns = wrap::width(io::stdout());
    let of_kind = |kind: &&KindInfo| format!("{}\n{}", kind.name, lines(&(kind.list)(), columns));
    let text: String = kinds.iter().map(of_kind).collect();
    Ok(io::stdout().write_all(text.as_bytes())?)
}

fn find(name: &str) -> Result<&'static KindInfo> {
    let kinds = registry::kinds();
    let names: Vec<_> = kinds.iter().map(|kind| kind.name).collect();
    let hint = registry::did_you_mean(name, &names);
    let known = names.join(", ");
    kinds
        .into_iter()
        .find(|kind| kind.name == name)
        .ok_or_else(|| Error::config(format!("no kind of part named `{name}`{hint}; kinds: {known}")))
}

/// A line for each part; below it, one that can be copied into a config, and the options that it leaves out.
fn lines(parts: &[Listing], columns: Option<usize>) -> String {
    let width = parts.iter().map(|part| part.name.len()).max().unwrap_or(0);
    let of_part = |part: &Listing| {
        let Listing {
            name,
            summary,
            crate_name,
            version,
            ..
        } = part;
        let options = options(part).map_or(String::new(), |options| format!("  {:width$}  {options}\n", ""));
        let about = format!("  {name:width$}  {summary} ({crate_name} {version})\n");
        // A summary goes on below its beginning.
        wrap::wrapped(&about, columns, width + 2) + &wrap::wrapped(&options, columns, 2)
    };
    parts.iter().map(of_part).collect()
}

/// The options and their defaults, or their names where one must be given; nothing where there are none.
fn options(part: &Listing) -> Option<String> {
    let Some(defaults) = &part.defaults else {
        return Some(format!("options: {}", part.options.join(", ")));
    };
    let values: String = defaults
        .iter()
        .map(|(key, value)| format!(", {key} = {value}"))
        .collect();
    let line = format!("{{ name = \"{}\"{values} }}", part.name);
    let absent: Vec<_> = part
        .options
        .iter()
        .copied()
        .filter(|&key| !defaults.contains_key(key))
        .collect();
    match (part.options, &absent[..]) {
        ([], _) => None,
        (_, []) => Some(line),
        (_, absent) => Some(format!("{line}, and {}", absent.join(", "))),
    }
}
