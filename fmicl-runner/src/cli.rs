//! The command line: reads it by the linked [commands](crate::command), runs one, and tells how it ended.

use crate::command::{self, Entry};
use crate::run::provenance;
use crate::train::{self, Stopped};
use crate::{config, home, log, panics, wrap};
use clap::builder::Styles;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;
use std::fmt::Write;
use std::io;
use std::process::ExitCode;

/// Runs the command line of the process: its exit code is 0, 1 where the run failed, 2 where the command line or the
/// config is at fault, or 128 and the number of the signal that stopped a training run. Errors go to stderr, a line each.
///
/// A binary with parts of its own is `use my_plugin as _; fn main() -> ExitCode { fmicl_runner::cli() }`.
pub fn cli() -> ExitCode {
    cli_of(std::env::args_os())
}

/// [`cli`] of other arguments than the process's; the first is the program's name.
pub fn cli_of(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    panics::install();
    train::survive_large_files();
    provenance::take_name();
    let refused = |why: &str| {
        log::end("error: ", why);
        ExitCode::from(2)
    };
    let args = match home::arguments(args) {
        Ok(args) => args,
        Err(why) => return refused(&why),
    };
    let entries = match command::entries() {
        Ok(entries) => entries,
        Err(error) => return refused(&error.to_string()),
    };
    // Lines are wrapped on a terminal only.
    let matches = to_clap(&entries, wrap::width(io::stdout())).try_get_matches_from(&args);
    let matches = matches.unwrap_or_else(|error| with_a_tip(error, &args).exit());
    log::init();
    let run = || {
        let (name, matches) = matches.subcommand()?;
        let entry = entries.iter().find(|entry| entry.name == name)?;
        Some((entry.run)(matches))
    };
    // The panic's line is printed by then.
    let Ok(outcome) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) else {
        return ExitCode::FAILURE;
    };
    // `None` cannot happen: clap accepts registered commands only.
    let Some(Err(errors)) = outcome else {
        return ExitCode::SUCCESS;
    };
    let errors = errors.all();
    // Whoever read our output has had enough of it (`fmicl list | head -1`).
    if errors.iter().all(is_broken_pipe) {
        return ExitCode::SUCCESS;
    }
    if let Some(stopped) = errors.iter().find_map(|error| error.downcast_ref::<Stopped>()) {
        log::end("", &stopped.to_string());
        return ExitCode::from(stopped.signal.exit_code());
    }
    for error in errors {
        log::end("error: ", &one_line(error));
    }
    if errors.iter().any(is_usage) {
        ExitCode::from(2)
    } else {
        ExitCode::FAILURE
    }
}

/// The program as clap knows it; lines of its help end at `width`.
fn to_clap(entries: &[&Entry], width: Option<usize>) -> clap::Command {
    clap::Command::new("fmicl")
        .about("Contrastive self-supervised training with the f-MICL family of objectives")
        .version(provenance::version())
        .propagate_version(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .term_width(width.unwrap_or(0))
        .help_template(format!(
            "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{}\n{{options}}\n\nRun `fmicl help COMMAND` for more on a command.\n",
            verbs(entries, width)
        ))
        .subcommands(entries.iter().map(|entry| entry.to_clap()))
}

/// A line for each verb, below the headings of their groups.
fn verbs(entries: &[&Entry], width: Option<usize>) -> String {
    let styles = Styles::default();
    let (heading, literal) = (styles.get_header(), styles.get_literal());
    let longest = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut above = None;
    for entry in entries {
        if above.replace(entry.group) != Some(entry.group) {
            // Writing to a text does not fail.
            let _ = writeln!(text, "\n{heading}{}:{heading:#}", entry.group.title());
        }
        let line = format!("  {literal}{:longest$}{literal:#}  {}", entry.name, entry.summary);
        let _ = writeln!(text, "{}", wrap::wrapped(&line, width, longest + 2));
    }
    text + &format!("\n{heading}Options:{heading:#}")
}

/// The error of an option that no command has, with the `--set` that does what it says where an experiment has such a key.
fn with_a_tip(mut error: clap::Error, args: &[OsString]) -> clap::Error {
    let changes = |command: &OsString| ["train", "check", "sweep"].iter().any(|known| command == known);
    if error.kind() != ErrorKind::UnknownArgument || !args.get(1).is_some_and(changes) {
        return error;
    }
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let name = option.trim_start_matches('-').replace('-', "_");
    let Some(key) = config::key_named(&name) else {
        return error;
    };
    let mut behind = args
        .iter()
        .skip_while(|arg| !arg.to_string_lossy().starts_with(&**option));
    let value = behind.next().and_then(|arg| match arg.to_str()?.split_once('=') {
        Some((_, value)) => Some(value),
        None => behind.next()?.to_str().filter(|value| !value.starts_with("--")),
    });
    let tip = format!(
        "an option of the experiment is set by '--set {key}={}'",
        value.unwrap_or("...")
    );
    error.remove(ContextKind::SuggestedArg);
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}

fn is_usage(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<fmicl_core::Error>())
        .any(fmicl_core::Error::is_usage)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes
        .into_iter()
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// An error and its causes; behind a line end there is only a C++ stack trace.
fn one_line(error: &anyhow::Error) -> String {
    // Our own errors say their cause in their own words.
    let text = match error.downcast_ref::<fmicl_core::Error>() {
        Some(error) => error.to_string(),
        None => format!("{error:#}"),
    };
    text.lines().next().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed_and_its_help_shows_every_verb_below_its_heading() {
        let entries = command::entries().unwrap();
        let mut clap = to_clap(&entries, None);
        clap.clone().debug_assert();
        let help = clap.render_help().to_string();
        for entry in &entries {
            let (_, below) = help.split_once(&format!("\n{}:\n", entry.group.title())).unwrap();
            let block = below.split("\n\n").next().unwrap();
            let is_line = |line: &str| line.trim_start().starts_with(entry.name) && line.ends_with(entry.summary);
            assert!(block.lines().any(is_line), "{} is not in\n{help}", entry.name);
        }
        let headings = ["\nTrain:\n", "\nEvaluate:\n", "\nLook things up:\n", "\nOptions:\n"];
        assert!(
            headings.map(|heading| help.find(heading).unwrap()).is_sorted(),
            "{help}"
        );
    }

    #[test]
    fn only_faults_of_the_config_count_as_usage() {
        let config = anyhow::Error::from(fmicl_core::Error::config("no")).context("while loading");
        assert!(is_usage(&config));
        assert!(!is_usage(&fmicl_core::Error::Run("no".into()).into()));
    }
}
