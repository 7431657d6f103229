//! Location of a dataset's files.
//!
//! One rule for every dataset that is downloaded: it lies in the [data folder](data_folder), in a folder with the name
//! that its official archive unpacks to. The option `root` names another data folder, or the dataset's own folder.

use super::download::archive;
use fmicl_core::{Download, Error, Result, Source, beside};
use std::path::{Path, PathBuf};

/// The environment variable that names the data folder.
const VARIABLE: &str = "FMICL_DATA";

/// The folder that downloaded datasets lie in, each in one of its own: `$FMICL_DATA`, or `data` below the working
/// directory. It need not exist.
pub fn data_folder() -> PathBuf {
    match std::env::var_os(VARIABLE) {
        Some(folder) if !folder.is_empty() => folder.into(),
        _ => "data".into(),
    }
}

/// What the sentence "there is no such folder" of a path below an option `root` says besides: where a relative one leads, and
/// a similar name beside it.
pub(super) fn leads_to(path: &Path) -> String {
    let similar = beside(path);
    match std::path::absolute(path) {
        Ok(absolute) if path.is_relative() => format!(
            ", which would be {}: `root` is relative to the current directory{similar}",
            absolute.display()
        ),
        _ => similar,
    }
}

/// A dataset's own folder.
pub(super) struct Place {
    /// The name that the official archive unpacks to.
    pub folder: &'static str,
    /// A file or folder that the right folder contains.
    pub marker: &'static str,
    /// The name of the official archive.
    pub archive: &'static str,
    /// How to come by it, as the end of a sentence.
    pub remedy: &'static str,
}

impl Place {
    /// The dataset's folder: the one in `root` that has its name, or `root` itself.
    ///
    /// # Errors
    /// [`Error::Data`] where there is neither, with what was found and what would work.
    pub fn find(&self, root: &Path) -> Result<PathBuf> {
        let Place {
            folder,
            marker,
            archive,
            remedy,
        } = self;
        let inner = root.join(folder);
        if inner.is_dir() {
            return Ok(inner);
        }
        if root.join(marker).exists() || root.ends_with(folder) && root.is_dir() {
            return Ok(root.into());
        }
        let message = if root.join(archive).is_file() {
            format!("holds `{archive}`, not unpacked: unpack it there, so that there is a folder `{folder}`")
        } else if root.is_file() {
            format!("is a file; `root` should be the folder `{folder}` or the one that it lies in")
        } else if root.is_dir() {
            format!("holds neither a folder `{folder}` nor its `{marker}`; set `root` to one of them, or {remedy}")
        } else {
            format!(
                "there is no such folder{}; set `root` (--set dataset.root=DIR) to the folder `{folder}` or to the one that it \
                 lies in, or {remedy}",
                leads_to(root)
            )
        };
        Err(Error::data(root, message))
    }

    /// Source with the dataset's folders: below `root`, or `root` itself. The dataset adds the rest.
    pub fn source(&self, root: &Path) -> Source {
        Source {
            looks_in: vec![root.join(self.folder), root.into()],
            folder: root.into(),
            ..Source::default()
        }
    }

    /// The official archive: the address that it lies below, its size, its published MD5, and how many bytes it unpacks
    /// to, rounded up.
    pub fn download(&self, base: &str, bytes: u64, md5: &str, at_most: u64) -> Download {
        archive(
            &format!("{base}{}", self.archive),
            Some(bytes),
            md5,
            self.folder,
            at_most,
        )
    }

    /// Hint on how to restore a missing file.
    pub fn hint(&self) -> String {
        format!("unpack `{}` again, or {}", self.archive, self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        folder: "letters_binary",
        marker: "train.bin",
        archive: "letters.tar.gz",
        remedy: "run `fmicl data fetch letters`",
    };

    fn error(root: &Path) -> String {
        PLACE.find(root).unwrap_err().to_string()
    }

    #[test]
    fn the_folder_or_its_parent_will_do() {
        let parent = tempfile::tempdir().unwrap();
        let inner = parent.path().join("letters_binary");
        std::fs::create_dir(&inner).unwrap();
        assert_eq!(PLACE.find(parent.path()).unwrap(), inner);
        // Incomplete, but surely meant: the missing file is the better error.
        assert_eq!(PLACE.find(&inner).unwrap(), inner);
        let renamed = parent.path().join("mine");
        std::fs::rename(inner, &renamed).unwrap();
        std::fs::write(renamed.join("train.bin"), "").unwrap();
        assert_eq!(PLACE.find(&renamed).unwrap(), renamed);
    }

    #[test]
    fn errors_say_what_was_found_and_what_would_work() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            error(folder.path()).contains("holds neither a folder `letters_binary` nor its `train.bin`; set `root`")
        );
        assert!(error(&folder.path().join("x")).contains("there is no such folder; set `root` (--set dataset.root="));
        let here = std::env::current_dir().unwrap();
        let found = error(Path::new("no/such"));
        let leads = format!(
            "no/such: there is no such folder, which would be {}/no/such: `root` is relative to the current directory; set `root` ",
            here.display()
        );
        assert!(found.starts_with(&leads), "{found}");
        assert!(error(folder.path()).ends_with("or run `fmicl data fetch letters`"));
        let archive = folder.path().join("letters.tar.gz");
        std::fs::write(&archive, "").unwrap();
        assert!(error(folder.path()).contains("holds `letters.tar.gz`, not unpacked"));
        assert!(error(&archive).contains("is a file; `root` should be the folder"));
    }
}
