//! `~` at the start of a path, where a shell has not put the user's folder in its place: in a file, in quotes, behind `=`.

use std::borrow::Cow;
use std::env::home_dir;
use std::ffi::OsString;
use std::path::Path;

/// The text with the user's folder in place of a `~` at its start, as a shell writes a word without quotes.
///
/// # Errors
/// In words, where the `~` is another user's, or this user has no folder.
pub fn expanded(text: &str) -> Result<Cow<'_, str>, String> {
    // Looked up where it is needed.
    match text.starts_with('~') {
        true => expanded_at(home_dir().as_deref(), text),
        false => Ok(text.into()),
    }
}

fn expanded_at<'a>(home: Option<&Path>, text: &'a str) -> Result<Cow<'a, str>, String> {
    let Some(rest) = text.strip_prefix('~') else {
        return Ok(text.into());
    };
    if !(rest.is_empty() || rest.starts_with('/')) {
        return Err(format!(
            "the folder of another user is not looked up: write the whole path, or ./{text} for a name that begins with ~"
        ));
    }
    let home = home.filter(|home| !home.as_os_str().is_empty());
    let home = home.ok_or("~ is the folder in HOME, which is not set: write the whole path")?;
    let home = home
        .to_str()
        .ok_or("~ is the folder in HOME, which is not in UTF-8: write the whole path")?;
    let home = if rest.is_empty() {
        home
    } else {
        home.trim_end_matches('/')
    };
    Ok(format!("{home}{rest}").into())
}

/// The arguments of a command line with every `~` at the start of one, and of the value in `--option=value`, expanded.
///
/// # Errors
/// In words, with the argument.
pub(crate) fn arguments(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Vec<OsString>, String> {
    let word = |arg: OsString| {
        let Some(text) = arg.to_str() else { return Ok(arg) };
        let (option, value) = match text.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (&text[..=option.len()], value),
            _ => ("", text),
        };
        match expanded(value) {
            Ok(value) => Ok(format!("{option}{value}").into()),
            Err(why) => Err(format!("{text}: {why}")),
        }
    };
    args.into_iter().map(Into::into).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_expanded_where_a_shell_would_and_nowhere_else() {
        let at = |home: &'static str| move |text: &'static str| expanded_at(Some(Path::new(home)), text);
        for (text, expected) in [
            ("~", "/home/me"),
            ("~/", "/home/me/"),
            ("~/a b/~", "/home/me/a b/~"),
            ("./~", "./~"),
            ("./~/a", "./~/a"),
            ("a~", "a~"),
            (" ~/a", " ~/a"),
            ("", ""),
        ] {
            assert_eq!(at("/home/me")(text).unwrap(), expected);
        }
        assert_eq!(at("/")("~/d").unwrap(), "/d");
        assert_eq!(at("/")("~").unwrap(), "/");
        let other = "the folder of another user is not looked up: write the whole path, or ./~you/d for a name that begins with ~";
        assert_eq!(at("/home/me")("~you/d").unwrap_err(), other);
        for home in [None, Some(Path::new(""))] {
            let unset = "~ is the folder in HOME, which is not set: write the whole path";
            assert_eq!(expanded_at(home, "~/d").unwrap_err(), unset);
        }
    }

    #[test]
    fn of_a_command_line_the_words_and_the_values_of_options_are_expanded() {
        let home = home_dir().unwrap();
        let home = home.to_str().unwrap();
        let words = [
            "train",
            "~/x.toml",
            "--out=~/r",
            "--set",
            "init=~/w",
            "--only=a=~b",
            "c=~",
        ];
        let expected = [
            "train".to_string(),
            format!("{home}/x.toml"),
            format!("--out={home}/r"),
            "--set".into(),
            "init=~/w".into(),
            "--only=a=~b".into(),
            "c=~".into(),
        ];
        assert_eq!(arguments(words).unwrap(), expected.map(OsString::from));
        let refused = arguments(["eval", "--data=~you"]).unwrap_err();
        assert!(
            refused.starts_with("--data=~you: the folder of another user"),
            "{refused}"
        );
    }
}
