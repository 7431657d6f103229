//! Python's pickles, as datasets use them: a dictionary of strings, numbers, lists and NumPy's arrays of bytes.
//!
//! Nothing in a pickle is called: objects are kept as the call that would make them. Protocols 2 to 5, source: CPython's
//! `pickletools.py`. It is written here because the crate `serde-pickle` goes as deep as a file says, which ends the process where
//! that is too deep, and holds an array of bytes several times.

mod machine;

use super::files::read_at_most;
use fmicl_core::{Error, Result};
use machine::{Id, Value, run};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A pickle of a dictionary.
pub(super) struct Pickle {
    path: PathBuf,
    bytes: Vec<u8>,
    values: Vec<Value>,
    /// The dictionary's keys and values.
    entries: Vec<(Id, Id)>,
    hint: String,
}

impl Pickle {
    /// Reads a file of at most `most` bytes. `hint` ends the sentence where it is missing or broken.
    ///
    /// # Errors
    /// [`Error::Data`] there.
    pub fn read(path: &Path, most: u64, hint: &str) -> Result<Self> {
        let bytes = read_at_most(path, most, hint)?;
        let wrong = |what: String| Error::data(path, format!("is no pickle of a dictionary ({what}); {hint}"));
        if bytes.len() as u64 > most {
            return Err(wrong(format!("it has more than {most} bytes")));
        }
        let (values, top) = run(&bytes).map_err(wrong)?;
        let Value::Dict(entries) = &values[top] else {
            return Err(wrong("it is something else".into()));
        };
        Ok(Pickle {
            path: path.into(),
            entries: entries.clone(),
            bytes,
            values,
            hint: hint.into(),
        })
    }

    /// The shape and the content of an array of bytes.
    ///
    /// # Errors
    /// [`Error::Data`] if there is none of this name.
    pub fn bytes(&self, key: &str) -> Result<(Vec<usize>, &[u8])> {
        let found = self.get(key).and_then(|id| self.array(id));
        found.ok_or_else(|| self.other(key, "an array of bytes"))
    }

    /// Whole numbers of a list.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no such list of this name.
    pub fn numbers(&self, key: &str) -> Result<Vec<i64>> {
        let found = self.get(key).and_then(|id| self.items(id));
        let found = found.and_then(|items| items.iter().map(|&id| self.number(id)).collect());
        found.ok_or_else(|| self.other(key, "a list of whole numbers"))
    }

    /// Strings of a list.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no such list of this name.
    pub fn texts(&self, key: &str) -> Result<Vec<String>> {
        let found = self.get(key).and_then(|id| self.items(id));
        let text = |&id: &Id| Some(String::from_utf8_lossy(self.string(id)?).into_owned());
        let found = found.and_then(|items| items.iter().map(text).collect());
        found.ok_or_else(|| self.other(key, "a list of strings"))
    }

    fn other(&self, key: &str, wanted: &str) -> Error {
        Error::data(&self.path, format!("its `{key}` is not {wanted}; {}", self.hint))
    }

    /// The value of a key, which is a string of Python 2, or of Python 3, or bytes.
    fn get(&self, key: &str) -> Option<Id> {
        let mut entries = self.entries.iter();
        let is_it = |(id, _): &&(Id, Id)| self.string(*id) == Some(key.as_bytes());
        Some(entries.rfind(is_it)?.1)
    }

    fn string(&self, id: Id) -> Option<&[u8]> {
        match &self.values[id] {
            Value::Bytes(range) => Some(&self.bytes[range.clone()]),
            _ => None,
        }
    }

    fn number(&self, id: Id) -> Option<i64> {
        match self.values[id] {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    fn items(&self, id: Id) -> Option<&[Id]> {
        match &self.values[id] {
            Value::Items(items) => Some(items),
            _ => None,
        }
    }

    /// The name of what makes an object, what it is called with, and the state that it gets then.
    fn object(&self, id: Id) -> Option<(&[u8], &[Id], Option<Id>)> {
        let Value::Object {
            callable,
            arguments,
            state,
        } = self.values[id]
        else {
            return None;
        };
        let Value::Global(Range { start, end }) = self.values[callable] else {
            return None;
        };
        Some((&self.bytes[start..end], self.items(arguments)?, state))
    }

    fn array(&self, id: Id) -> Option<(Vec<usize>, &[u8])> {
        let (kind, shape, is_fortran, data) = match self.object(id)? {
            // State: version, shape, type, whether columns come first, content.
            (b"_reconstruct", _, Some(state)) => match *self.items(state)? {
                [_, shape, kind, is_fortran, data] => (kind, shape, self.number(is_fortran)? != 0, data),
                _ => return None,
            },
            (b"_frombuffer", &[data, kind, shape, order], None) => (kind, shape, self.string(order)? != b"C", data),
            _ => return None,
        };
        let is_of_bytes = match self.object(kind)? {
            (b"dtype", &[name, ..], _) => self.string(name)? == b"u1",
            _ => false,
        };
        let data = self.string(data)?;
        let shape = self.items(shape)?.iter();
        let shape: Vec<usize> = shape
            .map(|&side| usize::try_from(self.number(side)?).ok())
            .collect::<Option<_>>()?;
        let count = shape.iter().try_fold(1usize, |count, &side| count.checked_mul(side));
        (is_of_bytes && !is_fortran && count == Some(data.len())).then_some((shape, data))
    }
}

#[cfg(test)]
mod tests;
