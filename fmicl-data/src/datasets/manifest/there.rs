//! Whether the files of a list are there. It is seen in listings of their folders: to ask the system for each file takes long
//! on a shared disk.

use crate::datasets::place::leads_to;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Files in folders, each listed once.
pub struct There<'a> {
    root: &'a Path,
    /// The files in a folder, or why it cannot be listed.
    folders: HashMap<PathBuf, Result<HashSet<OsString>, String>>,
}

impl<'a> There<'a> {
    /// Relative paths are below `root`.
    pub fn new(root: &'a Path) -> Self {
        There {
            root,
            folders: HashMap::new(),
        }
    }

    /// # Errors
    /// In words, if there is no such file.
    pub fn require(&mut self, path: &Path) -> Result<(), String> {
        let shown = path.display();
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(format!("`{shown}` is not the path of a file"));
        };
        let (folder, place) = (self.root.join(folder), place(self.root));
        let files = self.folders.entry(folder).or_insert_with_key(|folder| files(folder));
        match files {
            Ok(files) if files.contains(name) => Ok(()),
            Ok(_) => Err(format!("there is no file `{shown}` {place}")),
            Err(why) => Err(format!("there is no file `{shown}` {place}: {why}")),
        }
    }
}

/// Where relative paths are looked for.
fn place(root: &Path) -> String {
    match root.as_os_str().is_empty() {
        true => "in the working directory (the option `root` names another folder)".into(),
        false => format!("in {} (the option `root` names another folder)", root.display()),
    }
}

/// The files that a folder holds, links among them.
fn files(folder: &Path) -> Result<HashSet<OsString>, String> {
    let at = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let wrong = |error: std::io::Error| format!("{}: {error}{}", at.display(), leads_to(at));
    let mut files = HashSet::new();
    for entry in std::fs::read_dir(at).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files.insert(entry.file_name());
        }
    }
    Ok(files)
}
