//! Where a file is taken from: its official address, a mirror, or a disk.

use fmicl_core::{Download, Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Url(String),
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Url(url) => f.write_str(url),
            Origin::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Origin {
    /// The official address, or the file's place in `from`: an address or a path, of the file itself or of the folder
    /// that holds it. `alone`: the dataset has no other file.
    pub fn new(download: &Download, from: Option<&str>, alone: bool) -> Result<Self> {
        let Some(from) = from else {
            return Ok(Origin::Url(download.url.clone()));
        };
        let name = download.file_name();
        if from.contains("://") {
            let itself = alone
                && from
                    .split(['?', '#'])
                    .next()
                    .is_some_and(|path| path.ends_with(&format!("/{name}")));
            let url = if itself {
                from.to_string()
            } else {
                format!("{}/{name}", from.trim_end_matches('/'))
            };
            return Ok(Origin::Url(url));
        }
        let path = Path::new(from);
        let path = if alone && !path.is_dir() {
            path.to_path_buf()
        } else {
            path.join(name)
        };
        if path.is_file() {
            return Ok(Origin::File(path));
        }
        let message = format!("there is no such file; `--from` takes an address, or a folder or file with {name}");
        Err(Error::data(path, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(from: Option<&str>, alone: bool) -> Result<Origin> {
        let download = Download {
            url: "https://official.org/data/a.zip".into(),
            bytes: None,
            checksum: None,
            unpack: None,
        };
        Origin::new(&download, from, alone)
    }

    #[test]
    fn a_mirror_is_a_folder_or_the_file_itself() {
        let url = |from, alone| match origin(from, alone) {
            Ok(Origin::Url(url)) => url,
            other => panic!("{other:?}"),
        };
        assert_eq!(url(None, true), "https://official.org/data/a.zip");
        assert_eq!(url(Some("http://m.org/x/"), true), "http://m.org/x/a.zip");
        assert_eq!(url(Some("http://m.org/a.zip?key=1"), true), "http://m.org/a.zip?key=1");
        // Of several files, an address cannot be each.
        assert_eq!(url(Some("http://m.org/a.zip"), false), "http://m.org/a.zip/a.zip");
    }

    #[test]
    fn a_path_is_a_folder_or_the_file_itself() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.zip");
        let at = |path: &Path| origin(Some(&path.to_string_lossy()), true);
        let error = at(folder.path()).unwrap_err().to_string();
        assert!(error.contains("a.zip: there is no such file"), "{error}");
        std::fs::write(&file, "").unwrap();
        assert_eq!(at(folder.path()).unwrap(), Origin::File(file.clone()));
        assert_eq!(at(&file).unwrap(), Origin::File(file));
    }
}
