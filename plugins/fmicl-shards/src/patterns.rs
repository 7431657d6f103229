//! The options `train`, `test` and `pretrain`: the shards of a split, as a folder, a glob or with braces.

use crate::{braces, numbered, one_or_more};
use fmicl_core::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// `"shard-{000000..000099}.tar"`, `"train/*.tar"`, a folder, or a list of such; below the dataset's `root`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(pub Vec<String>);

impl Patterns {
    /// Returns true if no shard is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The files, in the order in which they are named; those of a glob or a folder are sorted. Whether they are there is not
    /// looked at. `option` is the option's name, and `extension` that of the files of a folder.
    ///
    /// # Errors
    /// [`Error::Config`] at `option` where a pattern is none, [`Error::Data`] where nothing matches it or a file is named twice.
    pub(crate) fn files(&self, root: &Path, option: &str, extension: &str) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for pattern in &self.0 {
            let expanded = braces::expand(pattern).map_err(|message| Error::config(message).at(option))?;
            for pattern in expanded {
                files.extend(matched(root, &pattern, option, extension)?);
            }
        }
        let mut sorted: Vec<_> = files.iter().collect();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::data(pair[0], format!("`{option}` names it twice"))),
            None => Ok(files),
        }
    }
}

/// The files of a pattern without braces.
fn matched(root: &Path, pattern: &str, option: &str, extension: &str) -> Result<Vec<PathBuf>> {
    let path = root.join(pattern);
    if path.is_dir() {
        let files = in_folder(&path, extension)?;
        numbered::require_all(&files)?;
        return match files.is_empty() {
            true => Err(Error::data(
                path,
                format!("holds no .{extension} file; `{option}` names it"),
            )),
            false => Ok(files),
        };
    }
    if !pattern.contains(['*', '?', '[']) {
        return Ok(vec![path]);
    }
    // An absolute pattern leads out of the root.
    let whole = match Path::new(pattern).is_absolute() {
        true => pattern.to_string(),
        false => format!("{}/{pattern}", glob::Pattern::escape(&root.to_string_lossy())),
    };
    let found = glob::glob(&whole);
    let found = found.map_err(|error| Error::config(format!("`{pattern}` is not a pattern: {error}")).at(option))?;
    let mut files = Vec::new();
    for file in found {
        files.push(
            file.map_err(|error| Error::io(error.path().to_path_buf(), std::io::Error::from(error.error().kind())))?,
        );
    }
    match files.is_empty() {
        true => Err(Error::data(
            path,
            format!("no file matches this pattern; `{option}` names it"),
        )),
        false => Ok(files),
    }
}

/// What compressed files are called.
const COMPRESSED: [&str; 4] = [".gz", ".zst", ".bz2", ".xz"];
/// Short for `.tar.gz`.
const TGZ: &str = ".tgz";

/// The files of a folder with an extension, sorted; hidden ones are none. Those that would have it without their compression are
/// among them, unless they lie beside what is in them: it is said of them why they cannot be read.
pub(crate) fn in_folder(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let io = |error| Error::io(folder, error);
    let (mut files, mut names, mut compressed) = (Vec::new(), HashSet::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let name = entry.map_err(io)?.file_name();
        let path = folder.join(&name);
        if name.as_encoded_bytes().starts_with(b".") || !path.is_file() {
            continue;
        }
        let name = name.to_string_lossy().to_lowercase();
        if name.ends_with(&format!(".{extension}")) {
            files.push(path);
            names.insert(name);
        } else if let Some(inner) = unpacked(&name, extension) {
            compressed.push((inner, path));
        }
    }
    let alone = compressed.into_iter().filter(|(inner, _)| !names.contains(inner));
    files.extend(alone.map(|(_, path)| path));
    files.sort_unstable();
    Ok(files)
}

/// What a compressed file is called when it is unpacked; nothing where it is no such file.
fn unpacked(name: &str, extension: &str) -> Option<String> {
    if let (Some(stem), "tar") = (name.strip_suffix(TGZ), extension) {
        return Some(format!("{stem}.tar"));
    }
    let inner = COMPRESSED.iter().find_map(|end| name.strip_suffix(end))?;
    inner.ends_with(&format!(".{extension}")).then(|| inner.to_string())
}

impl Serialize for Patterns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        one_or_more::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "shards such as \"train-{000000..000099}.tar\", \"train/*.tar\" or a folder, or a list of such";
        one_or_more::deserialize(deserializer, expected).map(Patterns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path, patterns: &[&str]) -> Result<Vec<String>, String> {
        let patterns = Patterns(patterns.iter().map(ToString::to_string).collect());
        let files = patterns.files(folder, "train", "tar");
        let name = |path: PathBuf| path.strip_prefix(folder).unwrap().to_str().unwrap().to_string();
        match files {
            Ok(files) => Ok(files.into_iter().map(name).collect()),
            Err(error) => Err(error.to_string().replace(&format!("{}/", folder.display()), "")),
        }
    }

    #[test]
    fn a_folder_a_glob_and_braces_name_shards_in_order() {
        let folder = tempfile::tempdir().unwrap();
        // A root may look like a pattern itself.
        let root = folder.path().join("[a]");
        for name in ["b/2.tar", "b/1.tar", "b/.3.tar", "b/notes.txt", "c-0.tar", "c-1.tar"] {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), "").unwrap();
        }
        assert_eq!(files(&root, &["b"]).unwrap(), ["b/1.tar", "b/2.tar"]);
        assert_eq!(
            files(&root, &["c-*.tar", "b/1.tar"]).unwrap(),
            ["c-0.tar", "c-1.tar", "b/1.tar"]
        );
        assert_eq!(files(&root, &["c-{1..0}.tar"]).unwrap(), ["c-1.tar", "c-0.tar"]);
        assert_eq!(
            files(&root, &["d-*.tar"]).unwrap_err(),
            "d-*.tar: no file matches this pattern; `train` names it"
        );
        assert_eq!(
            files(&root, &["b", "b/1*"]).unwrap_err(),
            "b/1.tar: `train` names it twice"
        );
        assert!(
            files(&root, &["c-{0..1.tar"])
                .unwrap_err()
                .starts_with("train: `c-{0..1.tar` has a `{`")
        );
        std::fs::create_dir(root.join("empty")).unwrap();
        assert_eq!(
            files(&root, &["empty"]).unwrap_err(),
            "empty: holds no .tar file; `train` names it"
        );
    }

    #[test]
    fn a_compressed_shard_is_left_out_only_beside_its_own_unpacked_one() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.tar", "a.tar.gz", "b.tar", "b.tgz"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(files(folder.path(), &["."]).unwrap(), ["a.tar", "b.tar"]);
        // As an interrupted `gunzip --keep *.gz` leaves them.
        std::fs::write(folder.path().join("c.tar.gz"), "").unwrap();
        assert_eq!(files(folder.path(), &["."]).unwrap(), ["a.tar", "b.tar", "c.tar.gz"]);
    }
}
