//! Finds the photos in a folder a class.
//!
//! One pass over the folders; the system tells what is a folder while it lists, so that only folders and links are
//! looked at one by one.

use super::links::Links;
use super::photos::Photos;
use fmicl_core::{Error, Result};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{metadata, read_dir};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The class folders of a split, sorted by name. `hint` ends the sentence where there are none.
///
/// # Errors
/// [`Error::Data`] where there is no such folder, or none in it, or a link leads where it may not.
pub(super) fn classes(split: &Path, links: &Links, hint: &str) -> Result<Vec<OsString>> {
    let entries = entries(split, links, hint)?;
    if let Some(class) = entries.iter().position(|entry| entry.is_folder) {
        let folders = entries.into_iter().skip(class).filter(|entry| entry.is_folder);
        return Ok(folders.map(|entry| entry.name).collect());
    }
    let archive = entries
        .iter()
        .find(|entry| has_extension(&entry.name, &["tar", "zip", "gz"]));
    let message = match (archive, entries.iter().any(|entry| is_photo(&entry.name))) {
        (Some(archive), _) => format!(
            "holds {}, not unpacked, where a folder for each class is expected: unpack each archive into a folder of its \
             name",
            archive.name.display()
        ),
        (None, true) => format!("holds photos where a folder of them for each class is expected; {hint}"),
        (None, false) => format!("holds no folders, of which each would be a class; {hint}"),
    };
    Err(Error::data(split, message))
}

/// The photos of a split, at any depth below the folders of its classes, which are numbered as in `classes` (sorted).
///
/// # Errors
/// [`Error::Data`] where a folder is no class or holds no photo, or a link leads nowhere, round in a circle or
/// where it may not;
/// [`Error::Io`] where the system refuses.
pub(super) fn photos(split: &Path, classes: &[OsString], links: &Links, hint: &str) -> Result<Photos> {
    let mut photos = Photos::new(split, classes);
    for name in self::classes(split, links, hint)? {
        let folder = split.join(&name);
        let Ok(class) = classes.binary_search(&name) else {
            let (name, count) = (name.display(), classes.len());
            let message = format!("the class `{name}` is not among the {count} of training");
            return Err(Error::data(folder, message));
        };
        let before = photos.count();
        let mut walk = Walk {
            split,
            class,
            links,
            seen: HashSet::new(),
            photos: &mut photos,
        };
        walk.visit(Path::new(&name))?;
        if photos.count() == before {
            return Err(Error::data(
                folder,
                "holds no .jpg, .jpeg or .png file; remove the folder or fill it",
            ));
        }
    }
    Ok(photos)
}

/// The photos that lie in a folder itself.
///
/// # Errors
/// As [`photos`].
pub(super) fn files(folder: &Path, links: &Links, hint: &str) -> Result<Vec<OsString>> {
    let files = entries(folder, links, hint)?
        .into_iter()
        .filter(|entry| !entry.is_folder && is_photo(&entry.name));
    Ok(files.map(|entry| entry.name).collect())
}

/// A walk through one class.
struct Walk<'a> {
    split: &'a Path,
    class: usize,
    links: &'a Links,
    /// The folders so far, by device and number: each is visited once, whatever links there are.
    seen: HashSet<(u64, u64)>,
    photos: &'a mut Photos,
}

impl Walk<'_> {
    /// `folder` is below the split's.
    fn visit(&mut self, folder: &Path) -> Result<()> {
        let path = self.split.join(folder);
        let identity = metadata(&path).map_err(|error| Error::io(&path, error))?;
        if !self.seen.insert((identity.dev(), identity.ino())) {
            let message = "is a link to a folder that belongs to the class already; remove the link";
            return Err(Error::data(path, message));
        }
        for entry in entries(&path, self.links, "it was there a moment ago")? {
            if entry.is_folder {
                self.visit(&folder.join(&entry.name))?;
            } else if is_photo(&entry.name) {
                self.photos.push(folder, &entry.name, self.class);
            }
        }
        Ok(())
    }
}

struct Entry {
    name: OsString,
    is_folder: bool,
}

/// What a folder holds, sorted by name, hidden files left out.
fn entries(folder: &Path, links: &Links, hint: &str) -> Result<Vec<Entry>> {
    let found = read_dir(folder).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::data(folder, format!("there is no such folder; {hint}")),
        _ => Error::io(folder, error),
    })?;
    let mut entries = Vec::new();
    for entry in found {
        let entry = entry.map_err(|error| Error::io(folder, error))?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type().map_err(|error| Error::io(entry.path(), error))?;
        let is_folder = match kind.is_symlink().then(|| metadata(entry.path())) {
            None => kind.is_dir(),
            Some(Ok(target)) => {
                if target.is_dir() || is_photo(&name) {
                    links.check(&entry.path())?;
                }
                target.is_dir()
            }
            Some(Err(_)) if is_photo(&name) => {
                return Err(Error::data(entry.path(), "is a link that leads nowhere; remove it"));
            }
            Some(Err(_)) => false,
        };
        entries.push(Entry { name, is_folder });
    }
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn is_photo(name: &OsStr) -> bool {
    has_extension(name, &["jpg", "jpeg", "png"])
}

fn has_extension(name: &OsStr, extensions: &[&str]) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|found| extensions.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::FollowLinks;
    use fmicl_core::Samples;
    use std::os::unix::fs::symlink;

    /// A split with the empty files of these paths.
    fn split(paths: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in paths {
            super::super::files::write(&folder.path().join(path), b"").unwrap();
        }
        folder
    }

    fn list(folder: &Path) -> Result<Photos> {
        list_with(folder, &Links::new(&[folder], FollowLinks::Within))
    }

    fn list_with(folder: &Path, links: &Links) -> Result<Photos> {
        photos(
            folder,
            &classes(folder, links, "look elsewhere")?,
            links,
            "look elsewhere",
        )
    }

    fn error(folder: &Path) -> String {
        list(folder).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn photos_are_found_at_any_depth_in_the_order_of_their_names() {
        let folder = split(&[
            "b/2.JPEG",
            "b/10.jpg",
            "a/z/deep.png",
            "a/x.Png",
            "a/y.txt",
            "a/.hidden.png",
            "list.txt",
        ]);
        let photos = list(folder.path()).unwrap();
        let found: Vec<_> = (0..photos.len())
            .map(|index| (photos.path(index), photos.label(index)))
            .collect();
        let expected = [("a/x.Png", 0), ("a/z/deep.png", 0), ("b/10.jpg", 1), ("b/2.JPEG", 1)];
        assert_eq!(found, expected.map(|(path, class)| (folder.path().join(path), class)));
    }

    #[test]
    fn links_are_followed_within_the_folder_or_wherever_they_may_lead_but_not_in_circles() {
        let folder = split(&["a/1.png", "elsewhere/2.png"]);
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::rename(folder.path().join("elsewhere"), elsewhere.path().join("b")).unwrap();
        symlink(elsewhere.path().join("b"), folder.path().join("b")).unwrap();
        symlink("1.png", folder.path().join("a/2.png")).unwrap();
        assert_eq!(
            list_with(folder.path(), &Links::new(&[], FollowLinks::Anywhere))
                .unwrap()
                .len(),
            3
        );
        let found = error(folder.path());
        assert!(
            found.contains("/b: is a link out of the dataset's folder, to ")
                && found.contains("`links = \"anywhere\"`"),
            "{found}"
        );
        std::fs::remove_file(folder.path().join("b")).unwrap();
        assert_eq!(list(folder.path()).unwrap().len(), 2);
        symlink(elsewhere.path().join("b/2.png"), folder.path().join("a/3.png")).unwrap();
        assert!(error(folder.path()).contains("a/3.png: is a link out of the dataset's folder"));
        std::fs::remove_file(folder.path().join("a/3.png")).unwrap();

        symlink("nowhere.png", folder.path().join("a/3.png")).unwrap();
        assert!(error(folder.path()).contains("a/3.png: is a link that leads nowhere"));
        std::fs::remove_file(folder.path().join("a/3.png")).unwrap();
        symlink("..", folder.path().join("a/up")).unwrap();
        let found = error(folder.path());
        assert!(
            found.contains("a/up/a: is a link to a folder that belongs to the class already"),
            "{found}"
        );
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let cases = [
            (
                split(&["n1.tar", "n2.tar"]),
                "holds n1.tar, not unpacked, where a folder for each class",
            ),
            (
                split(&["1.JPEG"]),
                "holds photos where a folder of them for each class is expected; look elsewhere",
            ),
            (
                split(&["readme.txt"]),
                "holds no folders, of which each would be a class; look elsewhere",
            ),
            (split(&["a/readme.txt"]), "a: holds no .jpg, .jpeg or .png file"),
        ];
        for (folder, expected) in cases {
            let found = error(folder.path());
            assert!(found.contains(expected), "{found}");
        }
        assert!(error(Path::new("/nowhere")).contains("/nowhere: there is no such folder; look elsewhere"));
    }
}
