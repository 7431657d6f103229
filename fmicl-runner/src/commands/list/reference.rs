//! `fmicl list --doc`: the reference of all parts in Markdown.

use crate::config::{Eval, Train};
use fmicl_core::registry::{Docs, Documented, KindInfo, Listing, Shape, in_one_line, kinds};

const HEAD: &str = "# Reference

Every registered part, its options and their defaults. `fmicl list --doc` prints this page from the registry, so a program
with other crates prints one of its own; `fmicl list divergence --doc` prints one kind.

A part is named in an experiment by its name alone (`optimizer = \"sgd\"`) or by a table with options
(`optimizer = { name = \"sgd\", momentum = 0.9 }`). An option without a default is either absent by default, or must be given:
its description says which.
";

/// The reference of these kinds, after that of an experiment's own sections where it is of all kinds.
pub fn markdown(kinds: &[&KindInfo]) -> String {
    let mut text = HEAD.to_string();
    if kinds.len() > 1 {
        text += "\n## An experiment's own sections\n";
        text += &own("train", Train::OPTIONS);
        text += &own("eval", Eval::OPTIONS);
    }
    for kind in kinds {
        text += &format!("\n## {}\n", kind.name);
        let parts = (kind.list)();
        if parts.iter().all(|part| part.options.is_empty()) {
            text.push('\n');
            let line = |part: &Listing| format!("- `{}`: {} ({})\n", part.name, part.summary, part.crate_name);
            text.extend(parts.iter().map(line));
        } else {
            text.extend(
                parts
                    .iter()
                    .map(|part| section(part, &|option| named(kind, part, option))),
            );
        }
    }
    text
}

/// A section of an experiment that is no part.
fn own(name: &str, options: Docs) -> String {
    let mut text = format!("\n### `[{name}]`\n\n| option | |\n|---|---|\n");
    for (option, lines) in options {
        text += &format!("| `{option}` | {} |\n", cell(&in_one_line(lines)));
    }
    text
}

/// An option that holds a part under the part's own name is described by that part's summary.
fn named(kind: &KindInfo, part: &Listing, option: &str) -> Option<String> {
    let Shape::Part(holds) = (kind.shape)(part.name, &[option]) else {
        return None;
    };
    let held = kinds().into_iter().filter(|kind| kind.name == holds);
    let held = held.flat_map(|kind| (kind.list)()).find(|part| part.name == option)?;
    Some(format!("The {holds} `{option}`: {}.", held.summary))
}

/// A heading, the summary, and a table of the options where there are any; `named` describes those without a doc comment.
fn section(part: &Listing, named: &dyn Fn(&str) -> Option<String>) -> String {
    let mut text = format!("\n### `{}`\n\n{} ({})\n", part.name, part.summary, part.crate_name);
    if !part.options.is_empty() {
        text += "\n| option | default | |\n|---|---|---|\n";
        text.extend(part.options.iter().map(|option| row(part, option, named)));
    }
    text
}

fn row(part: &Listing, option: &str, named: &dyn Fn(&str) -> Option<String>) -> String {
    let default = part.defaults.as_ref().and_then(|defaults| defaults.get(option));
    let default = default.map_or(String::new(), |value| format!("`{}`", cell(&value.to_string())));
    let about = part
        .docs
        .iter()
        .find(|(name, _)| *name == option)
        .map(|(_, lines)| in_one_line(lines));
    let about = about.or_else(|| named(option)).unwrap_or_default();
    format!("| `{option}` | {default} | {} |\n", cell(&about))
}

/// The text with the character that ends a cell escaped.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::section;
    use fmicl_core::registry::Listing;

    #[test]
    fn an_option_has_its_default_and_its_doc_comment_in_one_line() {
        let part = Listing {
            kind: "similarity",
            name: "gaussian",
            summary: "a kernel",
            docs: &[("sigma", &[" The width of", " [`Kernel`], `|x|`."])],
            crate_name: "mine",
            version: "1.0.0",
            api: 1,
            options: &["sigma", "mu"],
            defaults: Some(toml::toml! { sigma = 0.5 }),
        };
        let expected = "\n### `gaussian`\n\na kernel (mine)\n\n| option | default | |\n|---|---|---|\n\
                        | `sigma` | `0.5` | The width of `Kernel`, `\\|x\\|`. |\n| `mu` |  |  |\n";
        assert_eq!(section(&part, &|_| None), expected);
        let named = section(&part, &|option| Some(format!("The option {option}.")));
        assert_eq!(named, expected.replace("`mu` |  |  |", "`mu` |  | The option mu. |"));
    }
}
