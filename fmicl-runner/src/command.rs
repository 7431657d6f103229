//! The kind `command`: a verb of the command line, such as `train`.
//!
//! It lives here and not in fmicl-core: a verb builds on what trains and evaluates, and has arguments of clap's, which parts
//! need not know. A crate adds one in a file, and the binary links the crate:
//!
//! ```
//! use fmicl_runner::command::{Command, Group, Outcome};
//!
//! #[derive(Debug, clap::Args)]
//! struct Show {
//!     /// A run directory
//!     run: std::path::PathBuf,
//! }
//!
//! fmicl_runner::command!("result", Show, Group::Inspect, "Print what a run has found");
//!
//! impl Command for Show {
//!     fn run(self) -> Outcome {
//!         let run = fmicl_runner::run::RunDir::open(&self.run)?;
//!         println!("{:#}", run.result()?.unwrap_or_default());
//!         Ok(())
//!     }
//! }
//!
//! fmicl_runner::testing::check_command("result");
//! ```

mod model_args;

pub use model_args::{ModelArgs, samples_of};

use crate::config;
use clap::{ArgMatches, Args};
use fmicl_core::registry::{KindInfo, Listing, Shape};
use fmicl_core::{Error, Result};
use std::io;
use std::path::Path;

/// A verb of the command line: its arguments are its fields.
pub trait Command: Args {
    /// Does what the arguments ask.
    ///
    /// # Errors
    /// Everything that is wrong, a line each on stderr. A [config error](Error::Config) ends the process with exit code 2,
    /// any other one with 1.
    fn run(self) -> Outcome;

    /// Returns true if a TOML file that is not an experiment belongs to this verb: `fmicl train` then says so.
    fn takes(path: &Path) -> bool {
        let _ = path;
        false
    }
}

/// Everything that a command found wrong.
pub type Outcome = std::result::Result<(), Errors>;

/// At least one error. `?` makes it of one, and of a list.
#[derive(Debug)]
pub struct Errors(Vec<anyhow::Error>);

impl Errors {
    /// The errors, in the order in which they are told.
    pub fn all(&self) -> &[anyhow::Error] {
        &self.0
    }
}

impl From<anyhow::Error> for Errors {
    fn from(error: anyhow::Error) -> Self {
        Errors(vec![error])
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Errors(vec![error.into()])
    }
}

impl From<Vec<Error>> for Errors {
    fn from(errors: Vec<Error>) -> Self {
        Errors(errors.into_iter().map(Into::into).collect())
    }
}

impl From<io::Error> for Errors {
    fn from(error: io::Error) -> Self {
        Errors(vec![error.into()])
    }
}

/// The heading under which `fmicl --help` shows a verb, in the order of the headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Verbs that make runs.
    Train,
    /// Verbs that measure something.
    Evaluate,
    /// Verbs that take a trained encoder elsewhere, or bring one.
    Use,
    /// Verbs that only look.
    Inspect,
    /// A heading of the crate's own.
    Other(&'static str),
}

impl Group {
    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Group::Train => "Train",
            Group::Evaluate => "Evaluate",
            Group::Use => "Use an encoder",
            Group::Inspect => "Look things up",
            Group::Other(title) => title,
        }
    }
}

/// A registered verb: what [`command!`](crate::command!) writes.
pub struct Entry {
    /// The word on the command line.
    pub name: &'static str,
    /// One line for `fmicl --help` and `fmicl list`.
    pub summary: &'static str,
    /// Its heading.
    pub group: Group,
    /// The crate that registered it.
    pub crate_name: &'static str,
    /// That crate's version.
    pub crate_version: &'static str,
    /// The [`fmicl_core::registry::API`] it was built with.
    pub api: u32,
    /// Adds its arguments.
    pub arguments: fn(clap::Command) -> clap::Command,
    /// Reads its arguments and runs it.
    pub run: fn(&ArgMatches) -> Outcome,
    /// See [`Command::takes`].
    pub takes: fn(&Path) -> bool,
}

fmicl_core::inventory::collect!(Entry);

fmicl_core::inventory::submit! {
    KindInfo {
        name: "command",
        list: listings,
        shape: |_, _| Shape::Other,
    }
}

/// Registers a verb: `command!("result", Show, Group::Inspect, "one line for fmicl --help")`, in the file that defines it.
#[macro_export]
macro_rules! command {
    ($name:literal, $command:ty, $group:expr, $summary:literal) => {
        $crate::command::inventory::submit! {
            $crate::command::Entry {
                name: $name,
                summary: $summary,
                group: $group,
                crate_name: env!("CARGO_PKG_NAME"),
                crate_version: env!("CARGO_PKG_VERSION"),
                api: $crate::command::API,
                arguments: $crate::command::arguments::<$command>,
                run: $crate::command::run::<$command>,
                takes: <$command as $crate::command::Command>::takes,
            }
        }
    };
}

#[doc(hidden)]
pub use fmicl_core::{inventory, registry::API};

#[doc(hidden)]
pub fn arguments<T: Command>(command: clap::Command) -> clap::Command {
    T::augment_args(command)
}

#[doc(hidden)]
pub fn run<T: Command>(matches: &ArgMatches) -> Outcome {
    T::from_arg_matches(matches).unwrap_or_else(|error| error.exit()).run()
}

impl Entry {
    /// The verb as clap knows it.
    pub fn to_clap(&self) -> clap::Command {
        // A type's own comment is for who reads the source.
        (self.arguments)(clap::Command::new(self.name))
            .about(self.summary)
            .long_about(None)
    }
}

/// All verbs by their headings, the engine's own first, then by name.
///
/// # Errors
/// A name that two crates register, with both.
pub fn entries() -> Result<Vec<&'static Entry>> {
    sorted(fmicl_core::inventory::iter::<Entry>.into_iter().collect())
}

fn sorted(mut entries: Vec<&Entry>) -> Result<Vec<&Entry>> {
    entries.sort_by_key(|entry| (entry.name, entry.crate_name));
    if let Some([first, second]) = entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Error::config(format!(
            "the command `{}` is registered twice, by the crates {} and {}: rename one or link only one of them",
            first.name, first.crate_name, second.crate_name
        )));
    }
    entries.sort_by_key(|entry| (entry.group, entry.crate_name != env!("CARGO_PKG_NAME"), entry.name));
    Ok(entries)
}

/// As `fmicl list command` shows them.
fn listings() -> Vec<Listing> {
    let mut entries: Vec<_> = fmicl_core::inventory::iter::<Entry>.into_iter().collect();
    entries.sort_by_key(|entry| (entry.name, entry.crate_name));
    let listing = |entry: &Entry| Listing {
        kind: "command",
        name: entry.name,
        summary: entry.summary,
        docs: &[],
        crate_name: entry.crate_name,
        version: entry.crate_version,
        api: entry.api,
        options: &[],
        defaults: Some(toml::Table::new()),
    };
    entries.into_iter().map(listing).collect()
}

/// Returns true if a `key=value` is for the parts that read published weights.
pub fn is_of_weights(set: &str) -> bool {
    let part = config::key_of(set).split('.').next();
    part.is_some_and(|part| ["views", "backbone"].contains(&part))
}

/// Checks that no `--set` sets a key that an option of the command line, such as `--device`, sets to this value: of two
/// that are given one would be passed over.
///
/// # Errors
/// One that names both.
pub fn refuse_both(sets: &[String], key: &str, short: Option<String>) -> Result<()> {
    let is_of_key = |set: &&String| config::key_of(set) == key;
    match (short, sets.iter().find(is_of_key)) {
        (Some(value), Some(set)) => Err(Error::config(format!(
            "--set {set}: there is --{key} {value} as well: give only one of the two"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &'static str, group: Group, crate_name: &'static str) -> Entry {
        Entry {
            name,
            summary: "Does nothing",
            group,
            crate_name,
            crate_version: "1.2.3",
            api: API,
            arguments: |command| command,
            run: |_| Ok(()),
            takes: |_| false,
        }
    }

    #[test]
    fn verbs_come_by_their_headings_and_the_engines_own_first() {
        let all = [
            entry("zoom", Group::Other("Ours"), "outside"),
            entry("annotate", Group::Train, "outside"),
            entry("train", Group::Train, "fmicl-runner"),
            entry("list", Group::Inspect, "fmicl-runner"),
        ];
        let names = sorted(all.iter().collect()).unwrap();
        let names: Vec<_> = names.iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["train", "annotate", "list", "zoom"]);
    }

    #[test]
    fn a_verb_that_two_crates_register_is_an_error_that_names_both() {
        let all = [
            entry("zoom", Group::Use, "second"),
            entry("train", Group::Train, "fmicl-runner"),
            entry("zoom", Group::Train, "first"),
        ];
        let error = sorted(all.iter().collect()).map(|_| ()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the command `zoom` is registered twice, by the crates first and second: rename one or link only one of them"
        );
    }
}
