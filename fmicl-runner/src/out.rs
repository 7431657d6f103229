//! Places that `--out` names.

use fmicl_core::{Error, Result};
use std::fs;
use std::path::Path;

/// Checks that `--out` names a path at which a file can be created, before the work for that file.
///
/// # Errors
/// A folder, or a path in none.
pub fn require_file_place(path: &Path) -> Result<()> {
    let refused = |why: String| Err(Error::config(why).at("--out"));
    if path.is_dir() {
        return refused(format!("{} is a folder; name a file in it", path.display()));
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => refused(format!(
            "there is no folder {}; make it, or name a file in another one",
            folder.display()
        )),
        _ => Ok(()),
    }
}

/// Makes the folder that `--out` names, and those around it, where they are not there yet.
///
/// # Errors
/// A file in its place or on the way to it, or the disk's.
pub fn make_folder(path: &Path) -> Result<()> {
    match path.ancestors().find(|path| path.exists()) {
        Some(file) if !file.is_dir() => {
            let message = format!("{} is a file; name a folder, there or new", file.display());
            Err(Error::config(message).at("--out"))
        }
        _ => fs::create_dir_all(path).map_err(|error| {
            let message = format!("cannot be made: {error}; name another folder with --out");
            Error::data(path, message)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_cannot_be_is_named_with_what_would_work() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        let shown = |result: Result<()>| {
            let message = result.unwrap_err().to_string();
            message.replace(&format!("{}/", folder.path().display()), "")
        };
        fs::write(at("file"), "").unwrap();
        assert_eq!(
            shown(require_file_place(&at("new/x.npy"))),
            "--out: there is no folder new; make it, or name a file in another one"
        );
        assert!(shown(require_file_place(folder.path())).ends_with(" is a folder; name a file in it"));
        assert!(require_file_place(&at("x.npy")).is_ok() && require_file_place(Path::new("x.npy")).is_ok());
        for path in ["file", "file/below"] {
            assert_eq!(
                shown(make_folder(&at(path))),
                "--out: file is a file; name a folder, there or new"
            );
        }
        let nowhere = make_folder(Path::new("/proc/folder")).unwrap_err().to_string();
        assert!(
            nowhere.starts_with("/proc/folder: cannot be made: ")
                && nowhere.ends_with("; name another folder with --out"),
            "{nowhere}"
        );
        make_folder(&at("new/folder")).unwrap();
        assert!(at("new/folder").is_dir());
    }
}
