//! The runs and sweeps below a folder.

use super::RunDir;
use super::observed::FAILED;
use fmicl_core::{Error, OUTPUT_MARK, Result, disk, read_file};
use std::fs;
use std::path::{Path, PathBuf};

/// How far below the folder they are looked for: that of runs, and names with folders in them.
const DEEP: usize = 5;
/// The folder of a sweep's runs, and its table of them.
const RUNS: &str = "runs";
const TABLE: &str = "results.csv";
/// The most bytes of the table.
const MOST: u64 = 1 << 28;

/// A run or a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The directory of a run.
    Run(PathBuf),
    /// A sweep.
    Sweep(Sweep),
}

/// The directory that `fmicl sweep` wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// It.
    pub path: PathBuf,
    /// The directories of its runs that have begun, by name.
    pub cells: Vec<PathBuf>,
    /// All its runs, by its table; nothing where that cannot be read.
    pub planned: Option<usize>,
}

impl Sweep {
    /// The sweep in a directory, if there is one.
    pub fn at(path: &Path) -> Option<Self> {
        if RunDir::is_at(path) || !path.join(TABLE).is_file() || !path.join(OUTPUT_MARK).exists() {
            return None;
        }
        let is_begun = |path: &PathBuf| RunDir::is_at(path) || path.join(FAILED).is_file();
        let cells = folders(&path.join(RUNS)).unwrap_or_default();
        let table = read_file(&path.join(TABLE), MOST, "it is a sweep's table").ok();
        Some(Sweep {
            path: path.to_path_buf(),
            cells: cells.into_iter().filter(is_begun).collect(),
            planned: table.map(|table| rows(&String::from_utf8_lossy(&table))),
        })
    }

    /// Returns true if a process works on it.
    ///
    /// # Errors
    /// A lock that cannot be looked at.
    pub fn is_running(&self) -> Result<bool> {
        disk::is_locked(&self.path.join(OUTPUT_MARK))
    }
}

/// The rows of a table in CSV below its head.
fn rows(table: &str) -> usize {
    let mut quoted = false;
    let ends = table.chars().filter(|letter| {
        quoted ^= *letter == '"';
        *letter == '\n' && !quoted
    });
    ends.count().saturating_sub(1)
}

impl Found {
    /// What is in a directory itself.
    pub fn at(path: &Path) -> Option<Self> {
        match RunDir::is_at(path) {
            true => Some(Found::Run(path.to_path_buf())),
            false => Sweep::at(path).map(Found::Sweep),
        }
    }
}

/// Every run and sweep in a folder and five levels below it, by their paths, and the folders on the way that cannot be read;
/// what lies in a run or a sweep is its own. Hidden folders are left out, and links to folders that are neither.
///
/// # Errors
/// A folder that is not there or cannot be read.
pub fn find(folder: &Path) -> Result<(Vec<Found>, Vec<Error>)> {
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    match Found::at(folder) {
        Some(one) => found.push(one),
        None => add(folder, DEEP, &mut found, &mut unread)?,
    }
    Ok((found, unread))
}

fn add(folder: &Path, deep: usize, found: &mut Vec<Found>, unread: &mut Vec<Error>) -> Result<()> {
    for path in folders(folder)? {
        match Found::at(&path) {
            Some(one) => found.push(one),
            None if deep > 0 && !path.is_symlink() => {
                let added = add(&path, deep - 1, found, unread);
                unread.extend(added.err());
            }
            None => {}
        }
    }
    Ok(())
}

/// The folders in a folder that are not hidden, by name, numbers in it by their value.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| Error::io(folder, error))?;
    let is_shown = |entry: &fs::DirEntry| !entry.file_name().as_encoded_bytes().starts_with(b".");
    // What a system tells of an entry without a look at it.
    let may_be = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_symlink());
    let entries = entries
        .filter_map(|entry| entry.ok())
        .filter(|entry| is_shown(entry) && may_be(entry));
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    paths.sort_by_cached_key(|path| by_numbers(&path.file_name().unwrap_or_default().to_string_lossy()));
    Ok(paths)
}

/// A key by which `run-2` comes before `run-10`.
fn by_numbers(name: &str) -> (String, String) {
    let mut key = String::new();
    let mut rest = name;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let end = number
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(number.len());
        key += &format!("{before}{:0>20}", &number[..end]);
        rest = &number[end..];
    }
    (key + rest, name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_sweeps_are_found_by_name_and_nothing_within_them() {
        let root = tempfile::tempdir().unwrap();
        let make = |path: &str, file: &str, text: &str| {
            fs::create_dir_all(root.path().join(path)).unwrap();
            fs::write(root.path().join(path).join(file), text).unwrap();
        };
        make("runs/x-10", "config.toml", "");
        make("runs/x-2", "config.toml", "");
        make("runs/x-2/checkpoints/inner", "config.toml", "");
        make("runs/.hidden", "config.toml", "");
        make("runs/none", "notes.txt", "");
        make("a/b/c/d/e/f", "config.toml", "");
        make("a/b/c/d/e/f2/g", "config.toml", "");
        make("sweeps/s", TABLE, "head\n\"a\nb\",1\nc,2\nd,3\n");
        make("sweeps/s", OUTPUT_MARK, "");
        make("sweeps/s/runs/b_seed-0", "config.toml", "");
        make("sweeps/s/runs/a_seed-0", FAILED, "the disk\n");
        make("sweeps/s/runs/begins", OUTPUT_MARK, "");
        let at = |path: &str| root.path().join(path);
        let sweep = Sweep {
            path: at("sweeps/s"),
            cells: vec![at("sweeps/s/runs/a_seed-0"), at("sweeps/s/runs/b_seed-0")],
            planned: Some(3),
        };
        let expected = [
            Found::Run(at("a/b/c/d/e/f")),
            Found::Run(at("runs/x-2")),
            Found::Run(at("runs/x-10")),
            Found::Sweep(sweep.clone()),
        ];
        assert_eq!(find(root.path()).unwrap().0, expected);
        assert_eq!(find(&at("sweeps/s")).unwrap().0, [Found::Sweep(sweep.clone())]);
        assert_eq!(find(&at("runs/x-2")).unwrap().0, [Found::Run(at("runs/x-2"))]);
        assert!(find(&at("nothing")).is_err());
        let held = disk::lock(&at("sweeps/s").join(OUTPUT_MARK)).unwrap();
        assert!(sweep.is_running().unwrap());
        drop(held);
        assert!(!sweep.is_running().unwrap());
    }
}
