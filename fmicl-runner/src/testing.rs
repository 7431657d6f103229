//! The laws that every [command](mod@crate::command) obeys, as a function that a plugin's own tests call.

use crate::command::{self, Entry};
use fmicl_core::registry::API;

/// Checks the verb that is registered by this name: that the command line takes it, and that its help says what a user needs.
///
/// # Panics
/// With the law that is broken.
pub fn check_command(name: &str) {
    let entries = command::entries().unwrap_or_else(|error| panic!("{error}"));
    let Some(entry) = entries.iter().find(|entry| entry.name == name) else {
        panic!("no command `{name}` is registered: does the test refer to its crate?");
    };
    assert_eq!(entry.api, API, "`{name}` was built with another fmicl-core");
    check_words(entry);
    check_arguments(entry.to_clap());
}

fn check_words(entry: &Entry) {
    let (name, summary) = (entry.name, entry.summary);
    let is_word = name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
    assert!(is_word, "`{name}` is not a word of small letters, digits and dashes");
    assert_ne!(name, "help", "`help` is the command line's own");
    assert!(
        summary.starts_with(char::is_uppercase) && !summary.ends_with('.') && !summary.contains('\n'),
        "`{name}`: {summary:?} is not one line that begins with a capital and ends without a full stop"
    );
}

fn check_arguments(clap: clap::Command) {
    // clap's own laws: two arguments of one name, a default that is not allowed, and so on.
    clap.clone().debug_assert();
    let name = clap.get_name().to_string();
    for argument in clap.get_arguments() {
        let is_clear = argument
            .get_help()
            .is_some_and(|help| !help.to_string().trim().is_empty())
            || argument
                .get_possible_values()
                .iter()
                .any(|value| value.get_help().is_some());
        assert!(is_clear, "`{name}`: the argument {} has no help", argument.get_id());
    }
    clap.get_subcommands().cloned().for_each(check_arguments);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_of_this_crate_obeys_the_laws() {
        let entries = command::entries().unwrap();
        assert!(entries.len() >= 5);
        entries.iter().for_each(|entry| check_command(entry.name));
    }

    #[test]
    #[should_panic(expected = "`zoom`: the argument run has no help")]
    fn an_argument_without_help_is_refused() {
        check_arguments(clap::Command::new("zoom").arg(clap::Arg::new("run")));
    }

    #[test]
    #[should_panic(expected = "no command `zoom` is registered")]
    fn a_verb_that_is_not_linked_is_refused() {
        check_command("zoom");
    }
}
