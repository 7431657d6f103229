//! A folder of photos and folders, as it is listed: once, after a look into it for the program's own, which ends at the first photo. The system tells
//! what is a folder while it lists, so that only folders and links are looked at one by one.

use super::extensions::{has_extension, is_array, is_photo};
use super::left_out::is_hidden;
use super::links::Links;
use super::own;
use super::place::leads_to;
use fmicl_core::{Error, Result};
use std::ffi::OsString;
use std::fs::{metadata, read_dir};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

impl Listing {
    /// Returns true if this folder holds photos and no folders.
    pub fn is_flat(&self) -> bool {
        self.folders.is_empty() && self.has_samples()
    }

    /// Returns true if this folder itself holds files that may be samples.
    fn has_samples(&self) -> bool {
        !self.photos.is_empty() || !self.arrays.is_empty()
    }

    /// The class folders of this split, sorted by name; the program's own are none. `hint` ends the sentence where there
    /// are none.
    ///
    /// # Errors
    /// [`Error::Data`] there.
    pub fn classes(&self, hint: &str) -> Result<&[OsString]> {
        if !self.folders.is_empty() {
            return Ok(&self.folders);
        }
        let is_archive = |name: &&OsString| has_extension(name, &["tar", "zip", "gz"]);
        let message = match (self.others.iter().find(is_archive), self.has_samples()) {
            (Some(archive), _) => format!(
                "holds {}, not unpacked, where a folder for each class is expected: unpack each archive into a folder of \
                 its name",
                archive.display()
            ),
            (None, true) => format!("holds photos where a folder of them for each class is expected; {hint}"),
            (None, false) => format!("holds no folders, of which each would be a class; {hint}"),
        };
        Err(Error::data(&self.path, message))
    }
}

/// What a folder holds itself, sorted by name.
pub(super) struct Listing {
    pub path: PathBuf,
    pub folders: Vec<OsString>,
    pub photos: Vec<OsString>,
    /// Arrays of numpy's: samples where a class has no photos.
    pub arrays: Vec<OsString>,
    /// What is wrong with the first of them, should they be samples.
    pub array_error: Option<Error>,
    /// Folders of runs and sweeps.
    pub own: Vec<OsString>,
    /// All else, hidden files and folders among it.
    pub others: Vec<OsString>,
}

impl Listing {
    /// # Errors
    /// As [`Listing::labelled`]; `hint` ends the sentence where there is no such folder.
    pub fn of(folder: &Path, links: &Links, hint: &str) -> Result<Self> {
        let found = read_dir(folder).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::data(folder, format!("there is no such folder{}; {hint}", leads_to(folder))),
            _ => Error::io(folder, error),
        })?;
        let mut listing = Listing {
            path: folder.into(),
            folders: vec![],
            photos: vec![],
            arrays: vec![],
            array_error: None,
            own: vec![],
            others: vec![],
        };
        for entry in found {
            let entry = entry.map_err(|error| Error::io(folder, error))?;
            let name = entry.file_name();
            if is_hidden(&name) {
                listing.others.push(name);
                continue;
            }
            let kind = entry.file_type().map_err(|error| Error::io(entry.path(), error))?;
            let is_folder = match kind.is_symlink().then(|| metadata(entry.path())) {
                None => kind.is_dir(),
                Some(Ok(target)) => target.is_dir(),
                Some(Err(_)) => {
                    let error = || Error::data(entry.path(), "is a link that leads nowhere; remove it");
                    if is_photo(&name) {
                        return Err(error());
                    }
                    if is_array(&name) {
                        listing.array_error.get_or_insert_with(error);
                    }
                    false
                }
            };
            let is_own = is_folder && own::is_own(&entry.path());
            if kind.is_symlink() && (is_folder && !is_own || is_photo(&name)) {
                links.check(&entry.path())?;
            }
            if kind.is_symlink() && !is_folder && is_array(&name) && listing.array_error.is_none() {
                listing.array_error = links.check(&entry.path()).err();
            }
            let kept = match is_folder {
                true if is_own => &mut listing.own,
                true => &mut listing.folders,
                false if is_photo(&name) => &mut listing.photos,
                false if is_array(&name) => &mut listing.arrays,
                false => &mut listing.others,
            };
            kept.push(name);
        }
        listing.folders.sort_unstable();
        listing.photos.sort_unstable();
        listing.arrays.sort_unstable();
        listing.own.sort_unstable();
        listing.others.sort_unstable();
        Ok(listing)
    }
}
