//! Keys and values in the form that every version of MLflow takes.
//!
//! Source: mlflow's `utils/validation.py`: keys are letters, digits and `_-. /` (`:` only in later versions), are paths in their
//! shortest form, and have at most 250 letters; a request has each of them once.

use std::collections::HashSet;

/// The most letters of a key.
const KEY: usize = 250;
/// The most letters of a parameter's value.
const VALUE: usize = 500;

/// Keys made of names, all different: `_` stands for what is not taken.
#[derive(Debug, Default)]
pub struct Keys(HashSet<String>);

impl Keys {
    /// The key of the next name.
    pub fn key(&mut self, name: &str) -> String {
        let key = cleaned(name);
        let numbered = |number: u32| match number {
            1 => key.clone(),
            number => {
                let ending = format!("_{number}");
                let room = KEY - ending.len();
                format!("{}{ending}", &key[..key.len().min(room)])
            }
        };
        // There are as many numbers as names.
        let unused = (1..)
            .map(numbered)
            .find(|key| !self.0.contains(key))
            .unwrap_or_default();
        self.0.insert(unused.clone());
        unused
    }
}

/// A key in ASCII. A part of a path that is empty, `.` or `..` is not in the shortest form.
fn cleaned(name: &str) -> String {
    let is_taken = |letter: char| letter.is_ascii_alphanumeric() || "_-. /".contains(letter);
    let name = name.replace(|letter| !is_taken(letter), "_");
    // Before the parts are looked at: the cut may end in the middle of one.
    let name = &name[..name.len().min(KEY)];
    let part = |part: &str| match part {
        "" | "." => "_".to_string(),
        ".." => "__".to_string(),
        part => part.to_string(),
    };
    let key = name.split('/').map(part).collect::<Vec<_>>().join("/");
    match key.len() > KEY {
        // Parts that were empty have made it longer; none is now.
        true => cleaned(key[..KEY].trim_end_matches('/')),
        false => key,
    }
}

/// The beginning of a parameter's value that is too long.
pub fn value(text: String) -> String {
    match text.char_indices().nth(VALUE) {
        Some(_) => text.chars().take(VALUE - 1).chain(['…']).collect(),
        None => text,
    }
}

/// Returns true for a key that MLflow takes: the rules as it has them.
#[cfg(test)]
pub fn is_taken(key: &str) -> bool {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "_-. /".contains(letter);
    let parts = key.split('/').all(|part| !["", ".", ".."].contains(&part));
    key.chars().all(letters) && parts && key.len() <= 250
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_a_key_that_is_taken_and_no_two_the_same() {
        let long = "x".repeat(300);
        let slashes = "/".repeat(300);
        let names = [
            "train.lr",
            "a,b",
            "a;b",
            "a:b",
            "a_b",
            "ä",
            "",
            ".",
            "..",
            "/",
            "//a",
            "a/./b",
            "a/../b",
            "../a",
            "a/",
            "\n\0",
            &long,
            &format!("{long}y"),
            &slashes,
            &format!("{}/..", "y".repeat(247)),
        ];
        let mut keys = Keys::default();
        let all: Vec<_> = names.iter().map(|name| keys.key(name)).collect();
        assert_eq!(all[..6], ["train.lr", "a_b", "a_b_2", "a_b_3", "a_b_4", "_"]);
        for (key, name) in all.iter().zip(names) {
            assert!(is_taken(key), "{name:?}: {key:?}");
        }
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), names.len());
    }

    #[test]
    fn a_long_parameter_is_cut_as_old_servers_need_it() {
        assert_eq!(value("x".repeat(500)).chars().count(), 500);
        let long = value("ä".repeat(501));
        assert!(long.ends_with("ä…") && long.chars().count() == 500);
    }
}
