//! `imagenet`: ImageNet-1k (ILSVRC 2012) in a folder a class.
//!
//! Source: Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV 2015,
//! <https://image-net.org/challenges/LSVRC/2012/2012-downloads.php>; the layouts are those of torchvision's examples and of Kaggle's
//! "ImageNet Object Localization Challenge".

mod validation;

use super::files::root_option;
use super::links::{FollowLinks, Links};
use super::listing::Listing;
use super::photos::write_photo;
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Documented, Error, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// ImageNet from `train/WNID/` and `val/WNID/`, where a WNID is a class such as `n01440764`; `val` is the test split.
/// Classes are numbered in the order of their WNIDs, as everywhere.
///
/// Where the photos of `val` are not sorted by class, their labels are those of Kaggle's `LOC_val_solution.csv` or of the devkit,
/// `ILSVRC2012_validation_ground_truth.txt` with `meta.mat`, and their order is the same as in class folders. Kaggle's layout,
/// `ILSVRC/Data/CLS-LOC/train` and `val`, is found as it unpacks.
///
/// A part of the classes, such as ImageNet-100, is read too. Files are decoded as `image-folder` decodes them: what
/// ImageNet has of gray and CMYK files, and a PNG that is called .JPEG, is read as PIL reads it.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageNet {
    /// The folder that holds `train` and `val` (or Kaggle's `ILSVRC`), or the one that such a folder `imagenet` lies in: the data
    /// folder (`$FMICL_DATA`, else `data`) unless given. Relative to the working directory.
    pub root: PathBuf,
    /// Whether links to photos and folders, of which subsets are often made, are followed out of the dataset's folder:
    /// `within`, the default, or `anywhere`.
    pub links: FollowLinks,
}

impl Default for ImageNet {
    fn default() -> Self {
        ImageNet {
            root: data_folder(),
            links: FollowLinks::default(),
        }
    }
}

register!(
    Dataset,
    "imagenet",
    ImageNet,
    "ImageNet-1k (ILSVRC 2012) in a folder a class"
);

const PLACE: Place = Place {
    folder: "imagenet",
    marker: "train",
    archive: "ILSVRC2012_img_train.tar",
    remedy: "get it from https://image-net.org (it needs a registration) and unpack it to imagenet/train/WNID/ and \
             imagenet/val/WNID/",
};
const TRAIN_HINT: &str = "ILSVRC2012_img_train.tar holds a tar for each class: unpack each into train/WNID/";
const VAL_HINT: &str = "ILSVRC2012_img_val.tar is not sorted by class: put LOC_val_solution.csv of Kaggle, or the folder \
                        ILSVRC2012_devkit_t12 of ILSVRC2012_devkit_t12.tar.gz, beside `val`; or the script \
                        https://raw.githubusercontent.com/soumith/imagenetloader.torch/master/valprep.sh, run in `val`, \
                        moves each photo into the folder of its class";

/// Where the archive of Kaggle's competition has `train` and `val`.
const KAGGLE: [&str; 2] = ["ILSVRC/Data/CLS-LOC", "Data/CLS-LOC"];

/// The folder of `train` and `val`.
fn find(root: &Path) -> Result<PathBuf> {
    let tops = [root.join(PLACE.folder), root.into()];
    let is_it = |folder: &PathBuf| folder.join(PLACE.marker).is_dir();
    // What is sorted by class comes first, wherever Kaggle's lies.
    if tops.iter().any(is_it) {
        return PLACE.find(root);
    }
    let mut folders = tops.iter().flat_map(|top| KAGGLE.map(|inner| top.join(inner)));
    match folders.find(is_it) {
        Some(folder) => Ok(folder),
        None => PLACE.find(root),
    }
}

impl Dataset for ImageNet {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let root = find(&self.root)?;
        let train = root.join("train");
        let links = |split: &Path| Links::new(&[&root, split], self.links);
        let listing = Listing::of(&train, &links(&train), TRAIN_HINT)?;
        let classes = listing.classes(TRAIN_HINT)?;
        if let Some(other) = classes.iter().find(|class| !is_wnid(class)) {
            let message = "is not a class of ImageNet, whose folders have names such as n01440764; for other photos there is \
                           the dataset `image-folder`";
            return Err(Error::data(train.join(other), message));
        }
        let photos = match split {
            Split::Pretrain | Split::Train => listing.labelled(classes, &links(&train), TRAIN_HINT)?,
            Split::Test => {
                let val = root.join("val");
                let listing = Listing::of(&val, &links(&val), VAL_HINT)?;
                match listing
                    .is_flat()
                    .then(|| validation::Labels::find(&root))
                    .transpose()?
                    .flatten()
                {
                    Some(labels) => labels.photos(listing, classes)?,
                    None => listing.labelled(classes, &links(&val), VAL_HINT)?,
                }
            }
        };
        Ok(Box::new(photos))
    }

    fn source(&self) -> Source {
        let place = PLACE.source(&self.root);
        let kaggle = place.looks_in.iter().map(|top| top.join(KAGGLE[0]));
        Source {
            looks_in: place.looks_in.iter().cloned().chain(kaggle).collect(),
            page: "https://image-net.org/download.php".into(),
            terms: "after registration, for non-commercial research and education".into(),
            by_hand: PLACE.remedy.into(),
            ..place
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        for (class, wnid) in ["n01440764", "n01443537"].into_iter().enumerate() {
            for photo in 0..10 {
                write_photo(&folder.join(format!("train/{wnid}/{wnid}_{photo}.JPEG")), class, photo)?;
            }
            for photo in 0..4 {
                let name = format!("val/{wnid}/ILSVRC2012_val_{:08}.JPEG", 2 * photo + class + 1);
                write_photo(&folder.join(name), class, photo)?;
            }
        }
        Ok(root_option(folder))
    }
}

/// Returns true if this names a class of ImageNet: an `n` and eight digits.
pub(super) fn is_wnid(name: &OsStr) -> bool {
    matches!(name.as_encoded_bytes(), [b'n', digits @ ..] if digits.len() == 8 && digits.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(folder: &Path) -> ImageNet {
        ImageNet::default().example(folder).unwrap();
        ImageNet {
            root: folder.into(),
            ..Default::default()
        }
    }

    fn error(dataset: &ImageNet, split: Split) -> String {
        dataset.open(split).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn val_is_the_test_split() {
        let folder = tempfile::tempdir().unwrap();
        example(&folder.path().join("imagenet"));
        // The data folder will do.
        let dataset = ImageNet {
            root: folder.path().into(),
            ..Default::default()
        };
        let (train, test) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
        assert_eq!(
            (train.len(), test.len(), train.classes(), test.classes()),
            (20, 8, 2, 2)
        );
        assert_eq!((train.label(9), train.label(10), test.label(7)), (0, 1, 1));
    }

    #[test]
    fn kaggles_layout_does_not_hide_the_folder_of_the_dataset() {
        let folder = tempfile::tempdir().unwrap();
        let kaggle = folder.path().join(KAGGLE[0]);
        example(&kaggle);
        assert_eq!(find(folder.path()).unwrap(), kaggle);
        example(&folder.path().join("imagenet"));
        assert_eq!(find(folder.path()).unwrap(), folder.path().join("imagenet"));
    }

    #[test]
    fn the_usual_mistakes_are_named_with_their_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let (train, val) = (folder.path().join("train"), folder.path().join("val"));
        std::fs::create_dir(train.join("cats")).unwrap();
        assert!(error(&dataset, Split::Train).contains("train/cats: is not a class of ImageNet"));

        std::fs::remove_dir_all(&val).unwrap();
        assert!(
            error(
                &ImageNet {
                    root: folder.path().into(),
                    ..Default::default()
                },
                Split::Test
            )
            .contains("cats")
        );
        std::fs::remove_dir(train.join("cats")).unwrap();
        assert!(error(&dataset, Split::Test).contains("val: there is no such folder; ILSVRC2012_img_val.tar"));
        write_photo(&val.join("ILSVRC2012_val_00000001.JPEG"), 0, 0).unwrap();
        let flat = error(&dataset, Split::Test);
        assert!(
            flat.contains("val: holds photos where a folder of them for each class is expected;"),
            "{flat}"
        );
        assert!(flat.contains("valprep.sh, run in `val`"), "{flat}");

        std::fs::remove_dir_all(&train).unwrap();
        super::super::files::write(&train.join("n01440764.tar"), b"").unwrap();
        assert!(error(&dataset, Split::Train).contains("holds n01440764.tar, not unpacked"));
    }
}
