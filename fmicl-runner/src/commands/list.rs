//! `fmicl list`: what is registered, from the registry alone.

use fmicl_core::registry::{self, KindInfo, Listing};
use fmicl_core::{Error, Result};
use std::io::{self, Write};

/// Prints the parts of one kind, or of all.
///
/// # Errors
/// [`Error::Config`] for an unknown kind, or that stdout is closed.
pub(crate) fn list(kind: Option<&str>, json: bool) -> anyhow::Result<()> {
    let kinds = match kind {
        Some(name) => vec![find(name)?],
        None => registry::kinds(),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    if json {
        let parts: Vec<_> = kinds.iter().flat_map(|kind| (kind.list)()).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&parts)?)?;
    } else {
        for kind in kinds {
            writeln!(out, "{}", kind.name)?;
            write_parts(&mut out, &(kind.list)())?;
        }
    }
    Ok(out.flush()?)
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

/// A line for each part and, where it has options that all have defaults, one that can be copied into a config.
fn write_parts(out: &mut impl Write, parts: &[Listing]) -> io::Result<()> {
    let width = parts.iter().map(|part| part.name.len()).max().unwrap_or(0);
    for part in parts {
        writeln!(
            out,
            "  {:width$}  {} ({} {})",
            part.name, part.summary, part.crate_name, part.version
        )?;
        if let Some(defaults) = part.defaults.as_ref().filter(|defaults| !defaults.is_empty()) {
            let options = defaults
                .iter()
                .map(|(option, value)| format!(", {option} = {value}"))
                .collect::<String>();
            writeln!(out, "  {:width$}  {{ name = \"{}\"{options} }}", "", part.name)?;
        }
    }
    Ok(())
}
