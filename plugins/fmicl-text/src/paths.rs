//! The option `path` of a dataset: a file, or several.

use fmicl_core::{Error, Result, Split, require};
use serde::de::{Error as _, SeqAccess, Visitor, value::SeqAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};

/// `"a.txt"`, or `["a.txt", "b.txt.gz"]`, whose samples follow one another. Relative to the working directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths(pub Vec<PathBuf>);

impl Paths {
    /// The files, for a split of sentences without labels; `what` is what `path` should name.
    ///
    /// # Errors
    /// [`Error::Config`] where there is none, [`Error::Data`] for a split that would need labels.
    pub(crate) fn of(&self, split: Split, what: &str) -> Result<&[PathBuf]> {
        require(!self.0.is_empty(), "path", || format!("is missing: set it to {what}"))?;
        match split {
            Split::Pretrain => Ok(&self.0),
            _ => Err(Error::data(
                &self.0[0],
                "has sentences without labels: only pre-training is possible",
            )),
        }
    }
}

impl From<&Path> for Paths {
    fn from(path: &Path) -> Self {
        Paths(vec![path.into()])
    }
}

impl Serialize for Paths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [path] => path.serialize(serializer),
            paths => paths.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Paths;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("the path of a file, or a list of such")
            }
            fn visit_str<E>(self, path: &str) -> Result<Paths, E> {
                Ok(Paths(vec![path.into()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, paths: A) -> Result<Paths, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(paths)).map(Paths)
            }
        }
        let paths = deserializer.deserialize_any(OneOrMore)?;
        // It would be taken for the working directory.
        match paths.0.iter().any(|path| path.as_os_str().is_empty()) {
            true => Err(D::Error::custom("names a file with an empty name")),
            false => Ok(paths),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::registry::{read_options, write_options};
    use fmicl_core::toml;

    #[derive(Debug, Serialize, Deserialize)]
    struct Options {
        path: Paths,
    }

    #[test]
    fn one_file_or_several_read_as_they_are_written() {
        for (text, count) in [
            ("path = \"a\"\n", 1),
            ("path = [\"a\", \"b\"]\n", 2),
            ("path = []\n", 0),
        ] {
            let options: Options = read_options(toml::from_str(text).unwrap()).unwrap();
            assert_eq!(options.path.0.len(), count);
            assert_eq!(write_options(&options).unwrap().to_string(), text);
        }
        for (text, message) in [
            ("path = 3", "expected the path of a file, or a list of such"),
            ("path = [\"a\", \"\"]", "path: names a file with an empty name"),
        ] {
            let error = read_options::<Options>(toml::from_str(text).unwrap());
            let error = error.unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
