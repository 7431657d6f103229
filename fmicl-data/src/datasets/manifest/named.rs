//! Which file a path of a list is, however it is spelt.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// The files that a list has named so far. The system is asked for each folder once, and for no file.
pub struct Named<'a> {
    root: &'a Path,
    /// The number of each folder, as it is spelt and as the system knows it.
    spelt: HashMap<PathBuf, usize>,
    known: HashMap<PathBuf, usize>,
    /// The line of each file.
    lines: HashMap<(usize, OsString), u64>,
}

impl<'a> Named<'a> {
    /// Relative paths are below `root`.
    pub fn new(root: &'a Path) -> Self {
        Named {
            root,
            spelt: HashMap::new(),
            known: HashMap::new(),
            lines: HashMap::new(),
        }
    }

    /// The line on which this file was named before.
    pub fn add(&mut self, path: &Path, line: u64) -> Option<u64> {
        let (folder, name) = match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => (folder, name.to_owned()),
            // The path of no file, of which an error tells when it is looked for.
            _ => (path, OsString::new()),
        };
        let folder = match self.spelt.get(folder) {
            Some(&number) => number,
            None => {
                let next = self.known.len();
                let number = *self.known.entry(real(&self.root.join(folder))).or_insert(next);
                self.spelt.insert(folder.into(), number);
                number
            }
        };
        self.lines.insert((folder, name), line)
    }
}

/// A folder without links, `.` and `..`; where it cannot be found, without those that its spelling tells.
fn real(folder: &Path) -> PathBuf {
    let at = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    at.canonicalize().unwrap_or_else(|_| {
        let mut plain = PathBuf::new();
        for component in std::path::absolute(at).unwrap_or(at.into()).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => drop(plain.pop()),
                other => plain.push(other),
            }
        }
        plain
    })
}
