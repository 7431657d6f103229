//! Opening files that may be anything.

use crate::registry::did_you_mean;
use crate::{Error, Result};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Marker and lock file in every output folder of the program, such as a run's or a sweep's. Datasets skip folders that
/// contain it; the process that works in a folder locks it.
pub const OUTPUT_MARK: &str = ".fmicl.lock";

/// Opens a regular file; `hint` ends the error message if there is no such file. Folders, devices and pipes, which
/// could be endless or block, are refused.
///
/// # Errors
/// [`Error::Data`] if there is no such file or it is not a regular file, [`Error::Io`] if the system refuses.
pub fn open_file(path: &Path, hint: &str) -> Result<File> {
    let missing_or = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Error::data(path, format!("there is no such file; {hint}")),
        _ => Error::io(path, error),
    };
    // Before it is opened: that alone waits at a pipe.
    let kind = std::fs::metadata(path).map_err(missing_or)?.file_type();
    if !kind.is_file() {
        let what = if kind.is_dir() {
            "a folder"
        } else {
            "not a regular file"
        };
        return Err(Error::data(path, format!("is {what}; {hint}")));
    }
    File::open(path).map_err(missing_or)
}

/// `` (did you mean `x.toml`?)`` for a file or folder that is not there, if one of a similar name lies beside it; else nothing.
pub fn beside(path: &Path) -> String {
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let (Some(found), Ok(entries)) = (stem(path), std::fs::read_dir(folder)) else {
        return String::new();
    };
    let names = entries
        .take(MOST_BESIDE)
        .filter_map(|entry| Some(entry.ok()?.file_name()));
    let names: Vec<_> = names.collect();
    let like: Vec<_> = names
        .iter()
        .filter(|name| Path::new(name).extension() == path.extension())
        .collect();
    // An ending alone makes no name similar.
    let stems: Vec<String> = like.iter().filter_map(|name| stem(Path::new(name))).collect();
    let hint = did_you_mean(&found, &stems.iter().map(String::as_str).collect::<Vec<_>>());
    match path.extension() {
        Some(extension) => hint.replace("`?)", &format!(".{}`?)", extension.to_string_lossy())),
        None if hint.is_empty() => {
            let same = names
                .iter()
                .filter(|name| stem(Path::new(name)).as_ref() == Some(&found));
            let first = same.min().map(|name| name.to_string_lossy());
            first.map_or(hint, |name| format!(" (did you mean `{name}`?)"))
        }
        None => hint,
    }
}

/// The most names that are looked at.
const MOST_BESIDE: usize = 10_000;

/// Reads a regular file of at most `most` bytes, opened by [`open_file`].
///
/// # Errors
/// Errors of [`open_file`], and [`Error::Data`] if the file is larger.
pub fn read_file(path: &Path, most: u64, hint: &str) -> Result<Vec<u8>> {
    let file = open_file(path, hint)?;
    let length = file.metadata().map_err(|error| Error::io(path, error))?.len();
    let refused = |why: String| Err(Error::data(path, format!("has {why}; {hint}")));
    if length > most {
        return refused(format!("{length} bytes, and at most {most} are read"));
    }
    let mut bytes = Vec::new();
    // What is larger than the memory is an error, not the end of the process.
    if bytes.try_reserve_exact(length as usize).is_err() {
        return refused(format!("{length} bytes, more than there is memory for"));
    }
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| Error::io(path, error))?;
    // It may have grown.
    match bytes.len() as u64 > most {
        true => refused(format!("more than {most} bytes")),
        false => not_a_pointer(path, &bytes).map(|()| bytes),
    }
}

/// Refuses a git-lfs pointer: the text that git leaves in place of a file if git-lfs is not installed.
///
/// # Errors
/// [`Error::Data`] with the size of the real file.
pub fn not_a_pointer(path: &Path, bytes: &[u8]) -> Result<()> {
    if !bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]);
    let size = text.lines().find_map(|line| line.strip_prefix("size ")).unwrap_or("?");
    let message =
        format!("is a pointer of git-lfs, not the file of {size} bytes: `git lfs pull` in its folder fetches that");
    Err(Error::data(path, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_told_a_similar_name_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["cifar10.toml", "resnet18.safetensors"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("photos")).unwrap();
        let hint = |name: &str| beside(&folder.path().join(name));
        assert_eq!(hint("cifra10.toml"), " (did you mean `cifar10.toml`?)");
        assert_eq!(hint("resnet-18.safetensors"), " (did you mean `resnet18.safetensors`?)");
        assert_eq!(hint("photo"), " (did you mean `photos`?)");
        assert_eq!(hint("cifar10"), " (did you mean `cifar10.toml`?)");
        assert_eq!(hint("y.toml"), "", "an ending alone is not similar");
        assert_eq!(hint("none/cifar10.toml"), "");
    }

    #[test]
    fn what_is_no_file_or_too_large_is_not_read() {
        let error = |path: &str| {
            read_file(Path::new(path), 10, "look elsewhere")
                .unwrap_err()
                .to_string()
        };
        assert_eq!(error("/nowhere"), "/nowhere: there is no such file; look elsewhere");
        assert_eq!(error("/"), "/: is a folder; look elsewhere");
        assert_eq!(error("/dev/zero"), "/dev/zero: is not a regular file; look elsewhere");
        let own = concat!(env!("CARGO_MANIFEST_DIR"), "/src/io/files.rs");
        let length = include_bytes!("files.rs").len();
        assert_eq!(
            error(own),
            format!("{own}: has {length} bytes, and at most 10 are read; look elsewhere")
        );
        let whole = read_file(Path::new(own), 1 << 20, "").unwrap();
        assert_eq!(whole, include_bytes!("files.rs"));
    }
}
