//! `tiny-imagenet`: Tiny ImageNet, 200 classes of ImageNet at 64 x 64 pixels.
//!
//! Source: Le, Yang, "Tiny ImageNet visual recognition challenge", Stanford CS 231N, 2015,
//! <http://cs231n.stanford.edu/tiny-imagenet-200.zip>.

use super::files::{root_option, write};
use super::imagenet::is_wnid;
use super::links::{FollowLinks, Links};
use super::listed::{Lines, Listed, Numbers};
use super::listing::Listing;
use super::photos::write_photo;
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Documented, Error, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Tiny ImageNet from `wnids.txt`, `train/WNID/images/` and, as the test split, `val/images/` with
/// `val/val_annotations.txt` (its own test images have no published labels). Classes are numbered in the order of their
/// WNIDs. A `val` whose images were moved into a folder for each class, `val/WNID/` or `val/WNID/images/`, is read too, class by class.
///
/// Files are decoded as `image-folder` decodes them.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TinyImageNet {
    /// The folder `tiny-imagenet-200`, or the one that it lies in: the data folder (`$FMICL_DATA`, else `data`) unless
    /// given. Relative to the working directory.
    pub root: PathBuf,
}

impl Default for TinyImageNet {
    fn default() -> Self {
        TinyImageNet { root: data_folder() }
    }
}

register!(
    Dataset,
    "tiny-imagenet",
    TinyImageNet,
    "Tiny ImageNet as its archive unpacks: 200 classes, 64x64 pixels"
);

const PLACE: Place = Place {
    folder: "tiny-imagenet-200",
    marker: "wnids.txt",
    archive: "tiny-imagenet-200.zip",
    remedy: "run `fmicl data fetch tiny-imagenet`",
};

impl Dataset for TinyImageNet {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let root = PLACE.find(&self.root)?;
        let classes = classes(root.join("wnids.txt"))?;
        match split {
            Split::Pretrain | Split::Train => sorted(&root, "train", &classes),
            Split::Test if is_sorted(&root.join("val"), &classes) => sorted(&root, "val", &classes),
            Split::Test => annotated(&root.join("val"), &classes),
        }
    }

    fn source(&self) -> Source {
        Source {
            // The course publishes no checksum; this one is what many programs check.
            downloads: vec![PLACE.download(
                "http://cs231n.stanford.edu/",
                248_100_043,
                "90528d7ca1a48142e341f4ef8d21d0de",
                500_000_000,
            )],
            page: "http://cs231n.stanford.edu/tiny-imagenet-200.zip".into(),
            terms: "no licence stated; its images are ImageNet's: non-commercial research and education".into(),
            ..PLACE.source(&self.root)
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let wnids = ["n02124075", "n01443537"];
        let mut annotations = String::new();
        for (class, wnid) in wnids.into_iter().enumerate() {
            for photo in 0..10 {
                write_photo(
                    &folder.join(format!("train/{wnid}/images/{wnid}_{photo}.JPEG")),
                    class,
                    photo,
                )?;
            }
            for photo in 0..4 {
                let name = format!("val_{}.JPEG", 2 * photo + class);
                write_photo(&folder.join("val/images").join(&name), class, photo)?;
                annotations += &format!("{name}\t{wnid}\t0\t0\t23\t19\n");
            }
        }
        write(&folder.join("val/val_annotations.txt"), annotations.as_bytes())?;
        write(&folder.join("wnids.txt"), (wnids.join("\n") + "\n").as_bytes())?;
        Ok(root_option(folder))
    }
}

/// The classes of `wnids.txt`, sorted.
fn classes(path: PathBuf) -> Result<Vec<OsString>> {
    let lines = Lines::read(path, &PLACE.hint())?;
    let mut classes = Vec::new();
    for (line, wnid) in lines.iter() {
        if !is_wnid(OsStr::new(wnid)) {
            return Err(lines.wrong(line, format_args!("`{wnid}` is no class such as n01443537")));
        }
        classes.push(OsString::from(wnid));
    }
    classes.sort_unstable();
    classes.dedup();
    match classes.is_empty() {
        true => Err(Error::data(lines.path, format!("is empty; {}", PLACE.hint()))),
        false => Ok(classes),
    }
}

/// The photos of a split in a folder for each class, which all have one.
fn sorted(root: &Path, split: &str, classes: &[OsString]) -> Result<Box<dyn Samples>> {
    let folder = root.join(split);
    // Its archive has no links: there is nobody to allow more.
    let links = Links::new(&[root], FollowLinks::Within);
    let mut listing = Listing::of(&folder, &links, &PLACE.hint())?;
    // What is left of the official layout once its photos are elsewhere.
    listing.folders.retain(|name| split != "val" || name != IMAGES);
    let photos = listing.labelled(classes, &links, &PLACE.hint())?;
    let mut folders = classes.iter().map(|class| folder.join(class));
    match folders.find(|folder| !folder.is_dir()) {
        Some(missing) => Err(Error::data(
            missing,
            format!("there is no such folder; {}", PLACE.hint()),
        )),
        None => Ok(Box::new(photos)),
    }
}

/// The folder of the photos in `val`.
const IMAGES: &str = "images";

/// Whether the photos of `val` were moved into a folder for each class. Where they were copied there, the official layout is whole.
fn is_sorted(val: &Path, classes: &[OsString]) -> bool {
    let is_empty = |folder: PathBuf| std::fs::read_dir(folder).map_or(true, |mut found| found.next().is_none());
    is_empty(val.join(IMAGES)) && classes.iter().any(|class| val.join(class).is_dir())
}

/// The photos of `val/images` in the order of their annotations: name, tab, class, and a box that nobody needs.
fn annotated(val: &Path, classes: &[OsString]) -> Result<Box<dyn Samples>> {
    let hint = PLACE.hint();
    let lines = Lines::read(val.join("val_annotations.txt"), &hint)?;
    let numbers = Numbers::new(classes);
    let mut photos = Listed::new(val, classes, &hint);
    for (line, annotation) in lines.iter() {
        let mut fields = annotation.split('\t');
        let (Some(name), Some(wnid)) = (fields.next(), fields.next()) else {
            let what = format_args!("`{annotation}` is not a file and a class with a tab between them");
            return Err(lines.wrong(line, what));
        };
        let class = numbers.of(wnid, &lines, line, "wnids.txt")?;
        photos.add_line(&lines, line, &format!("images/{name}"), class)?;
    }
    photos.samples(&lines.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(folder: &Path) -> TinyImageNet {
        TinyImageNet::default().example(folder).unwrap();
        TinyImageNet { root: folder.into() }
    }

    #[test]
    fn classes_are_numbered_by_wnid_in_both_splits() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let (train, val) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
        assert_eq!((train.len(), val.len(), train.classes(), val.classes()), (20, 8, 2, 2));
        // The example's first class is the second by name; the channel red tells the classes apart.
        let red = |samples: &dyn Samples, index| samples.image(index).unwrap().pixels[0] > 100;
        for index in 0..8 {
            assert_eq!(val.label(index) == 0, red(&*val, index));
        }
        for index in 0..20 {
            assert_eq!(train.label(index) == 0, red(&*train, index));
        }
    }

    #[test]
    fn photos_of_val_that_were_moved_into_class_folders_are_found_there() {
        for inner in ["", "images/"] {
            let folder = tempfile::tempdir().unwrap();
            let dataset = example(folder.path());
            let official = dataset.open(Split::Test).unwrap();
            let mut expected: Vec<_> = (0..8)
                .map(|index| (official.label(index), official.image(index).unwrap().pixels))
                .collect();
            let val = folder.path().join("val");
            let annotations = std::fs::read_to_string(val.join("val_annotations.txt")).unwrap();
            for line in annotations.lines() {
                let [name, wnid] = [0, 1].map(|field| line.split('\t').nth(field).unwrap());
                let to = val.join(wnid).join(inner);
                std::fs::create_dir_all(&to).unwrap();
                std::fs::copy(val.join("images").join(name), to.join(name)).unwrap();
            }
            // Copied, they are in both places.
            assert_eq!(dataset.open(Split::Test).unwrap().len(), 8);
            assert!(
                dataset
                    .open(Split::Test)
                    .unwrap()
                    .path(0)
                    .unwrap()
                    .starts_with(val.join("images"))
            );
            for entry in std::fs::read_dir(val.join("images")).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
            let sorted = dataset.open(Split::Test).unwrap();
            fmicl_core::testing::check_dataset(&*sorted);
            let mut found: Vec<_> = (0..8)
                .map(|index| (sorted.label(index), sorted.image(index).unwrap().pixels))
                .collect();
            assert!(sorted.path(0).unwrap().starts_with(val.join("n01443537").join(inner)));
            expected.sort();
            found.sort();
            assert_eq!(found, expected);
            std::fs::remove_dir(val.join("images")).unwrap();
            assert_eq!(dataset.open(Split::Test).unwrap().len(), 8);
            std::fs::remove_dir_all(val.join("n01443537")).unwrap();
            let error = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
            assert!(
                error.contains("val/n01443537: there is no such folder; unpack"),
                "{error}"
            );
        }
    }

    #[test]
    fn annotations_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let cases = [
            (
                "val_0.JPEG n02124075\n",
                "line 1: `val_0.JPEG n02124075` is not a file and a class",
            ),
            (
                "val_0.JPEG\tn02124076\t0\n",
                "line 1: the class `n02124076` is not among the 2 of wnids.txt",
            ),
            (
                "val_9.JPEG\tn02124075\n",
                "line 1: `val_9.JPEG` is not a photo in `images`",
            ),
            (
                "../../train/n02124075/images/n02124075_0.JPEG\tn02124075\n",
                "n02124075_0.JPEG` is not a path in this dataset",
            ),
            (
                "val_0.JPEG\tn02124075\nval_0.JPEG\tn02124075\n",
                "line 2: `val_0.JPEG` is not a photo in `images`, or has been",
            ),
            ("", "val_annotations.txt: is empty; unpack"),
        ];
        for (text, expected) in cases {
            std::fs::write(folder.path().join("val/val_annotations.txt"), text).unwrap();
            let error = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn wnids_and_the_folders_of_training_must_agree() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let error = |wnids: &str| {
            std::fs::write(folder.path().join("wnids.txt"), wnids).unwrap();
            dataset.open(Split::Train).map(|_| ()).unwrap_err().to_string()
        };
        assert!(error("n01443537\n").contains("the class `n02124075` is not among the 1 of training"));
        assert!(error("n01443537\nn02124075\nn09999999\n").contains("n09999999: there is no such folder; unpack"));
        assert!(error("n01443537\n../x\n").contains("wnids.txt: line 2: `../x` is no class"));
    }
}
