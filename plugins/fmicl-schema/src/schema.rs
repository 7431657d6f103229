//! `fmicl schema`: JSON Schema of a kind of TOML file, for editors.

use crate::schema_of;
use clap::Args;
use fmicl_core::registry::did_you_mean;
use fmicl_core::{Error, disk};
use fmicl_runner::command::{Command, Group, Outcome};
use fmicl_runner::document::documents;
use std::io::{Write, stdout};
use std::path::PathBuf;

#[derive(Debug, Args)]
struct Schema {
    /// The kind of file: experiment or sweep
    #[arg(default_value = "experiment")]
    document: String,
    /// The file for the schema [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fmicl_runner::command!(
    "schema",
    Schema,
    Group::Inspect,
    "Print the JSON Schema of experiments or sweeps, by which editors complete and check them"
);

impl Command for Schema {
    fn run(self) -> Outcome {
        let documents = documents();
        let Some(document) = documents.iter().find(|document| document.name == self.document) else {
            let names: Vec<_> = documents.iter().map(|document| document.name).collect();
            let hint = did_you_mean(&self.document, &names);
            let message = format!(
                "no schema named `{}`{hint}; there are: {}",
                self.document,
                names.join(", ")
            );
            return Err(Error::config(message).into());
        };
        let text = format!("{:#}\n", schema_of(document));
        match &self.out {
            Some(path) => disk::replace(path, text.as_bytes())?,
            None => stdout().write_all(text.as_bytes())?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_obeys_the_laws() {
        fmicl_runner::testing::check_command("schema");
    }

    #[test]
    fn a_document_that_is_not_there_is_an_error_with_those_that_are() {
        let schema = Schema {
            document: "exeriment".into(),
            out: None,
        };
        let errors = schema.run().unwrap_err();
        let expected = "no schema named `exeriment` (did you mean `experiment`?); there are: experiment";
        assert_eq!(errors.all()[0].to_string(), expected);
    }
}
