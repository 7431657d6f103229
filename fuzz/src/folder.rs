//! A folder of files, one of which is hostile.

use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder whose files are whole but for one: which, is the first byte of an input, and the rest is what it holds.
pub(crate) struct Folder {
    folder: TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Folder {
    /// The folder that `fill` fills.
    pub fn new(fill: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        fill(folder.path());
        let mut paths = Vec::new();
        collect(folder.path(), &mut paths);
        paths.sort();
        let read = |path: PathBuf| {
            let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, bytes)
        };
        Folder {
            folder,
            files: paths.into_iter().map(read).collect(),
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// An input for each file, that leaves all as it is.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        let files = (0u8..).zip(&self.files);
        files
            .map(|(index, (_, bytes))| [&[index], bytes.as_slice()].concat())
            .collect()
    }

    /// Calls `check` while a file is what `input` says.
    pub fn with(&self, input: &[u8], check: impl FnOnce()) {
        let Some((&index, content)) = input.split_first() else {
            return;
        };
        let (path, whole) = &self.files[usize::from(index) % self.files.len()];
        let write = |bytes: &[u8]| {
            std::fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        };
        write(content);
        check();
        write(whole);
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
    {
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}
