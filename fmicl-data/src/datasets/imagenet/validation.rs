//! The labels of ImageNet's validation photos where they are not in class folders.
//!
//! | file | a photo's label |
//! |---|---|
//! | `LOC_val_solution.csv` (Kaggle) | the first class of its row, `ILSVRC2012_val_00000001,n01440764 1 2 3 4 ...` |
//! | `ILSVRC2012_validation_ground_truth.txt` (devkit) | a number in the line of its number, which `meta.mat` makes a class |

use super::is_wnid;
use crate::datasets::listed::Lines;
use crate::datasets::listing::Listing;
use crate::datasets::mat::Mat;
use crate::datasets::photos::Photos;
use fmicl_core::{Error, Result};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The class of each photo, by its name without the extension.
pub(super) struct Labels {
    /// The list that they are from.
    path: PathBuf,
    classes: HashMap<String, String>,
}

const KAGGLE: &str = "LOC_val_solution.csv";
const TRUTH: &str = "ILSVRC2012_validation_ground_truth.txt";
/// Folders that the devkit's files lie in: its own, or that of the photos' folder.
const DEVKIT: [&str; 4] = ["ILSVRC2012_devkit_t12/data", "devkit/data", "data", ""];
const HINT: &str = "get it again: it is in the archive of Kaggle's competition, or in ILSVRC2012_devkit_t12.tar.gz";
/// Fifty times what `meta.mat` has, unpacked.
const MOST: u64 = 64 << 20;

impl Labels {
    /// Those beside the splits' folder; of Kaggle's layout, also beside its top. Nothing where there are none.
    ///
    /// # Errors
    /// A list that is not as it should be.
    pub fn find(splits: &Path) -> Result<Option<Self>> {
        // Of top/ILSVRC/Data/CLS-LOC.
        let above = if splits.ends_with("Data/CLS-LOC") { 4 } else { 1 };
        for folder in splits.ancestors().take(above) {
            let list = folder.join(KAGGLE);
            if list.is_file() {
                return Labels::of_kaggle(list).map(Some);
            }
            let folders = DEVKIT.map(|devkit| folder.join(devkit));
            if let Some(folder) = folders.iter().find(|folder| folder.join(TRUTH).is_file()) {
                return Labels::of_devkit(folder).map(Some);
            }
        }
        Ok(None)
    }

    fn of_kaggle(path: PathBuf) -> Result<Self> {
        let lines = Lines::read(path, HINT)?;
        let mut classes = HashMap::new();
        for (line, row) in lines.iter().filter(|(_, row)| !row.starts_with("ImageId,")) {
            let fields = row.split_once(',');
            let class = fields.and_then(|(_, boxes)| boxes.split_whitespace().next());
            let (Some((name, _)), Some(class)) = (fields, class.filter(|class| is_wnid(OsStr::new(class)))) else {
                return Err(lines.wrong(
                    line,
                    format_args!("`{row}` is not a photo, a comma and a class such as n01440764"),
                ));
            };
            if classes.insert(name.to_string(), class.to_string()).is_some() {
                return Err(lines.wrong(line, format_args!("`{name}` has been named before")));
            }
        }
        Ok(Labels {
            path: lines.path,
            classes,
        })
    }

    fn of_devkit(folder: &Path) -> Result<Self> {
        let mut meta = Mat::read(&folder.join("meta.mat"), &["synsets"], MOST, HINT)?;
        let synsets = meta.named_indices("synsets", "WNID", "ILSVRC2012_ID")?;
        let numbers: HashMap<usize, String> = synsets.into_iter().map(|(wnid, number)| (number, wnid)).collect();
        let lines = Lines::read(folder.join(TRUTH), HINT)?;
        let mut classes = HashMap::new();
        for (photo, (line, number)) in lines.iter().enumerate() {
            let class = number.parse().ok().and_then(|number: usize| numbers.get(&number));
            let Some(class) = class.filter(|class| is_wnid(OsStr::new(class))) else {
                return Err(lines.wrong(
                    line,
                    format_args!("`{number}` is not the number of a class in meta.mat"),
                ));
            };
            classes.insert(format!("ILSVRC2012_val_{:08}", photo + 1), class.clone());
        }
        Ok(Labels {
            path: lines.path,
            classes,
        })
    }

    /// The photos of a folder without class folders, in the order that they have in class folders. Those of classes that
    /// are not trained on are left out, and counted.
    ///
    /// # Errors
    /// [`Error::Data`] with a photo that the list does not name, or where none is left.
    pub fn photos(&self, listing: Listing, classes: &[OsString]) -> Result<Photos> {
        let mut photos = Photos::new(&listing.path, classes);
        photos.left_out.add(&listing.others);
        let (mut found, mut of_others) = (Vec::new(), 0);
        for name in &listing.photos {
            let stem = Path::new(name).file_stem().unwrap_or_default();
            let Some(class) = self.classes.get(&*stem.to_string_lossy()) else {
                let path = listing.path.join(name);
                return Err(Error::data(
                    path,
                    format!("is not named in {}; {HINT}", self.path.display()),
                ));
            };
            match classes.binary_search_by(|known| known.as_os_str().cmp(OsStr::new(class))) {
                Ok(class) => found.push((class, name)),
                Err(_) => of_others += 1,
            }
        }
        let (list, folder) = (self.path.display(), listing.path.display());
        if found.is_empty() {
            let message = format!("holds no photo of the {} classes of training, by {list}", classes.len());
            return Err(Error::data(&listing.path, message));
        }
        let missing = self.classes.len().saturating_sub(listing.photos.len());
        found.sort_by_key(|&(class, _)| class);
        found
            .iter()
            .for_each(|(class, name)| photos.push(Path::new(""), name, *class));
        photos.notes.push(format!("{folder}: labels are those of {list}"));
        if of_others > 0 {
            photos.notes.push(format!(
                "{folder}: {of_others} left out, whose classes are not among the {} of training",
                classes.len()
            ));
        }
        if missing > 0 {
            photos
                .notes
                .push(format!("{folder}: {missing} that {list} names are not there"));
        }
        Ok(photos)
    }
}

#[cfg(test)]
mod tests;
