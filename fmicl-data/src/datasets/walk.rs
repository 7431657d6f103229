//! The photos below the folders of a split, each folder visited once.

use super::extensions::one_of_all;
use super::left_out::LeftOut;
use super::links::Links;
use super::listing::Listing;
use super::photos::Photos;
use fmicl_core::{Error, OUTPUT_MARK, Result};
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

impl Listing {
    /// The photos of this split, at any depth below the folders of its classes, which are numbered as in `classes` (sorted).
    /// Their order is that of torchvision's `ImageFolder`: the files of a folder, then those of the next, folders by their
    /// whole paths.
    ///
    /// # Errors
    /// [`Error::Data`] where there is no class, a folder is none or holds no photo, or a link leads nowhere, round in a
    /// circle or where it may not;
    /// [`Error::Io`] where the system refuses.
    pub fn labelled(&self, classes: &[OsString], links: &Links, hint: &str) -> Result<Photos> {
        let mut photos = Photos::new(&self.path, classes);
        photos.left_out.add(&self.others);
        photos.left_out.add_beside_classes(&self.photos);
        photos.left_out.add_beside_classes(&self.arrays);
        for name in self.classes(hint)? {
            let folder = self.path.join(name);
            let Ok(class) = classes.binary_search(name) else {
                let message = format!(
                    "the class `{}` is not among the {} of training; add photos of it there, or move this folder elsewhere",
                    name.display(),
                    classes.len()
                );
                return Err(Error::data(folder, message));
            };
            let listing = Listing::of(&folder, links, GONE)?;
            add_below(Path::new(name), listing, class, links, &mut photos)?;
        }
        let own = self.own.iter().map(|name| self.path.join(name));
        photos.notes.extend(own.map(|folder| {
            let folder = folder.display();
            format!("{folder}: holds runs or sweeps, and is not a class; the files {OUTPUT_MARK} say so")
        }));
        Ok(photos)
    }

    /// All photos of this split without classes, at any depth, in the order of [`Listing::labelled`].
    ///
    /// # Errors
    /// As there.
    pub fn unlabelled(self, links: &Links) -> Result<Photos> {
        let mut photos = Photos::new(&self.path, &[]);
        add_below(Path::new(""), self, 0, links, &mut photos)?;
        Ok(photos)
    }
}

/// Ends the sentence about a folder that was listed and cannot be found.
const GONE: &str = "it was there a moment ago";

/// Adds the photos at any depth below `folder`, which is below their root and is listed already.
fn add_below(folder: &Path, listing: Listing, class: usize, links: &Links, photos: &mut Photos) -> Result<()> {
    let path = listing.path.clone();
    let mut walk = Walk {
        links,
        seen: HashSet::new(),
        found: Vec::new(),
        arrays: Vec::new(),
        array_error: None,
        left_out: LeftOut::default(),
    };
    walk.visit(folder, listing)?;
    let Walk {
        mut found,
        arrays,
        array_error,
        mut left_out,
        ..
    } = walk;
    if found.iter().all(|(_, names)| names.is_empty()) {
        array_error.map_or(Ok(()), Err)?;
        found = arrays;
    } else {
        arrays.iter().for_each(|(_, names)| left_out.add(names));
    }
    if found.iter().all(|(_, names)| names.is_empty()) {
        let (read, others) = (one_of_all(), left_out.to_string());
        let others = if others.is_empty() {
            others
        } else {
            format!(", but {others}")
        };
        let message = format!("holds no {read} file{others}; fill it or move it elsewhere");
        return Err(Error::data(path, message));
    }
    photos.left_out.join(left_out);
    // As text, not component by component: `a-b` comes before `a/b`.
    found.sort_unstable_by(|a, b| a.0.as_os_str().cmp(b.0.as_os_str()));
    for (folder, names) in found {
        names.iter().for_each(|name| photos.push(&folder, name, class));
    }
    Ok(())
}

/// A walk through one class.
struct Walk<'a> {
    links: &'a Links,
    /// The folders so far, by device and number: each is visited once, whatever links there are.
    seen: HashSet<(u64, u64)>,
    /// Folders below the root, with the sorted photos in each itself.
    found: Vec<(PathBuf, Vec<OsString>)>,
    /// The same of numpy's arrays. They are samples where there are no photos, since features and masks are saved beside photos.
    arrays: Vec<(PathBuf, Vec<OsString>)>,
    /// What is wrong with the first array, should they be samples.
    array_error: Option<Error>,
    left_out: LeftOut,
}

impl Walk<'_> {
    /// `folder` is below the root.
    fn visit(&mut self, folder: &Path, listing: Listing) -> Result<()> {
        let path = listing.path;
        let identity = metadata(&path).map_err(|error| Error::io(&path, error))?;
        if !self.seen.insert((identity.dev(), identity.ino())) {
            let message = "is a link to a folder that belongs to the class already; remove the link";
            return Err(Error::data(path, message));
        }
        self.left_out.add(&listing.others);
        self.left_out.add_own(&listing.own);
        self.found.push((folder.into(), listing.photos));
        self.arrays.push((folder.into(), listing.arrays));
        self.array_error = self.array_error.take().or(listing.array_error);
        for name in &listing.folders {
            self.visit(&folder.join(name), Listing::of(&path.join(name), self.links, GONE)?)?;
        }
        Ok(())
    }
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
        let listing = Listing::of(folder, links, "look elsewhere")?;
        listing.labelled(listing.classes("look elsewhere")?, links, "look elsewhere")
    }

    fn error(folder: &Path) -> String {
        list(folder).map(|_| ()).unwrap_err().to_string()
    }

    /// The path below `folder` and the label of each.
    fn found(photos: &Photos, folder: &Path) -> Vec<(String, usize)> {
        let path = |index| {
            let path = photos.path(index);
            path.strip_prefix(folder).unwrap().to_str().unwrap().to_string()
        };
        (0..photos.len())
            .map(|index| (path(index), photos.label(index)))
            .collect()
    }

    #[test]
    fn photos_have_the_order_and_the_classes_of_torchvisions_image_folder() {
        let golden = include_str!("../../golden/folder.txt").lines().map(|line| {
            let (label, path) = line.split_once(' ').unwrap();
            (path.to_string(), label.parse().unwrap())
        });
        let golden: Vec<(String, usize)> = golden.collect();
        let paths: Vec<_> = golden
            .iter()
            .map(|(path, _)| path.as_str())
            .chain(["a/notes.txt"])
            .collect();
        let folder = split(&paths);
        assert_eq!(found(&list(folder.path()).unwrap(), folder.path()), golden);
    }

    #[test]
    fn photos_without_classes_have_the_same_order() {
        let folder = split(&["b.png", "c/1.png", "z.png", "a-b/1.png", "a/1.png", "a/b/1.png"]);
        let links = Links::new(&[folder.path()], FollowLinks::Within);
        let photos = Listing::of(folder.path(), &links, "")
            .unwrap()
            .unlabelled(&links)
            .unwrap();
        let paths: Vec<_> = found(&photos, folder.path())
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        assert_eq!(
            paths,
            ["b.png", "z.png", "a/1.png", "a-b/1.png", "a/b/1.png", "c/1.png"]
        );
        assert_eq!(photos.classes(), 0);
    }

    #[test]
    fn what_is_no_photo_is_counted_wherever_it_lies() {
        let folder = split(&[
            "a/1.png",
            "a/2.heic",
            "a/z/3.HEIC",
            "a/y.txt",
            "a/.hidden.png",
            "b/4.webp",
            "list.txt",
            "5.jpg",
            ".git/x",
        ]);
        let photos = list(folder.path()).unwrap();
        assert_eq!(photos.len(), 2);
        let expected = "2 .heic, 2 .txt, 2 hidden, 1 beside the class folders";
        assert_eq!(photos.left_out.to_string(), expected);
        assert!(photos.notes()[0].contains(&format!(": 7 left out: {expected} (read are .jpg ")));
    }

    #[test]
    fn arrays_are_samples_of_a_class_without_photos_and_left_out_elsewhere() {
        let paths = [
            "a/1.npy",
            "a/deep/2.NPY",
            "a/x.txt",
            "b/1.png",
            "b/features/1.npy",
            "all.npy",
        ];
        let folder = split(&paths);
        let photos = list(folder.path()).unwrap();
        let expected = [("a/1.npy", 0), ("a/deep/2.NPY", 0), ("b/1.png", 1)];
        assert_eq!(
            found(&photos, folder.path()),
            expected.map(|(path, label)| (path.to_string(), label))
        );
        assert_eq!(
            photos.left_out.to_string(),
            "1 .npy, 1 .txt, 1 beside the class folders"
        );
        // A link that leads nowhere matters where it would be a sample.
        symlink("nowhere.npy", folder.path().join("b/2.npy")).unwrap();
        assert_eq!(list(folder.path()).unwrap().len(), 3);
        symlink("nowhere.npy", folder.path().join("a/3.npy")).unwrap();
        assert!(error(folder.path()).contains("a/3.npy: is a link that leads nowhere"));
        // Without classes, photos anywhere leave all arrays out.
        let folder = split(&["1.npy", "2.npy", "deep/3.npy"]);
        let unlabelled = || {
            let links = Links::new(&[folder.path()], FollowLinks::Within);
            let listing = Listing::of(folder.path(), &links, "").unwrap();
            listing.unlabelled(&links).unwrap().count()
        };
        assert_eq!(unlabelled(), 3);
        super::super::files::write(&folder.path().join("4.png"), b"").unwrap();
        assert_eq!(unlabelled(), 1);
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
            (
                split(&["a/readme.txt", "a/1.heic", "a/b/2.heic"]),
                "a: holds no .jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff, .webp, .gif, .pbm, .pnm, .jpe, .jfif or .npy file, but 2 .heic, 1 .txt; fill it or move it elsewhere",
            ),
        ];
        for (folder, expected) in cases {
            let found = error(folder.path());
            assert!(found.contains(expected), "{found}");
        }
        assert!(error(Path::new("/nowhere")).contains("/nowhere: there is no such folder; look elsewhere"));
    }
}
