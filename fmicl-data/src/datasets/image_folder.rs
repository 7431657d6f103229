//! `image-folder`: photos in a folder a class.
//!
//! Source: torchvision's `ImageFolder`: classes are numbered in the order of their folders' names, files may lie at any
//! depth below. Their order is the same, too.

use super::files::root_option;
use super::links::{FollowLinks, Links};
use super::listing::Listing;
use super::photos::write_photo;
use fmicl_core::{Dataset, Documented, Error, Result, Samples, Source, Split, register, require, toml};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Image files as `ROOT/train/CLASS/...` and `ROOT/test/CLASS/...` (or `val`), decoded when they are needed. Photos that lie
/// in `ROOT/train` or `ROOT` without class folders have no labels.
///
/// JPEG, PNG, WebP, TIFF, BMP, GIF, PPM, PGM and PBM are read, told by their content, where the extension is one of
/// torchvision's `ImageFolder`, .gif, .pbm, .pnm, .jpe or .jfif; hidden files are not. Other files are counted. Of an animation
/// it is the first frame. Gray, palette, CMYK and transparent images become RGB as with PIL's `convert("RGB")`; the orientation
/// that a file states is ignored as PIL ignores it, but for TIFF, which PIL turns. The pixels are PIL's to the bit, but for gray
/// samples of 16 bits, which are scaled to 8 bits (PIL clips them). Of a JPEG no more is decoded than its views need.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageFolder {
    /// The folder that holds the splits; relative to the working directory. Required.
    pub root: PathBuf,
    /// The training split's folder below `root`; `"."` where the class folders lie in `root` itself. Where there is no `train`, it is
    /// `training`.
    pub train: PathBuf,
    /// Labels: a photo's folder is its class. With `false` photos at any depth have none; they are those of `root` itself where it
    /// holds neither `train` nor a test split.
    pub labels: bool,
    /// The test split's folder below `root`; it may be that of `train`. Absent by default: the first of `test`, `testing`, `val`, `valid`
    /// and `validation` that holds the folder of a class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// Whether links to photos and folders are followed out of `root` and the split's folder: `within`, the default, or
    /// `anywhere`.
    pub links: FollowLinks,
}

impl Default for ImageFolder {
    fn default() -> Self {
        ImageFolder {
            root: PathBuf::new(),
            train: TRAIN.into(),
            labels: true,
            test: None,
            links: FollowLinks::default(),
        }
    }
}

register!(
    Dataset,
    "image-folder",
    ImageFolder,
    "image files in a folder a class, as torchvision's ImageFolder, or without classes"
);

const HINT: &str = "`root` (--set dataset.root=DIR) should hold train/CLASS/ and test/CLASS/ or val/CLASS/; `train = \".\"` is for class folders in `root` \
                    itself, and photos in `root` or train/ itself train without labels";
const TRAIN: &str = "train";
/// Taken where there is no `TRAIN`.
const TRAINING: &str = "training";
/// What a test split is called: the first that there is, is taken.
pub const TESTS: [&str; 5] = ["test", "testing", "val", "valid", "validation"];

impl Dataset for ImageFolder {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        require(!self.root.as_os_str().is_empty(), "root", || {
            "is missing: set it to a folder that holds train/CLASS/ and test/CLASS/ or val/CLASS/".into()
        })?;
        let links = |split: &Path| Links::new(&[&self.root, split], self.links);
        let list = |folder: &Path| Listing::of(folder, &links(folder), HINT);
        let train = self.without_test(self.train(list)?)?;
        let is_flat = train.is_flat();
        if is_flat || !self.labels {
            let listing = match split {
                Split::Pretrain | Split::Train => train,
                Split::Test => list(&self.test_folder(&[])?.0)?,
            };
            let folder = listing.path.clone();
            let mut photos = listing.unlabelled(&links(&folder))?;
            if is_flat && self.labels {
                let path = folder.display();
                photos
                    .notes
                    .push(format!("{path}: photos without class folders have no labels"));
            }
            return Ok(Box::new(photos));
        }
        let classes = train.classes(HINT)?;
        let photos = match split {
            Split::Pretrain | Split::Train => train.labelled(classes, &links(&train.path), HINT)?,
            Split::Test => {
                let (test, notes) = self.test_folder(classes)?;
                let mut photos = list(&test)?.labelled(classes, &links(&test), HINT)?;
                photos.notes.extend(notes);
                photos
            }
        };
        Ok(Box::new(photos))
    }

    fn source(&self) -> Source {
        Source {
            looks_in: vec![self.root.clone()],
            by_hand: "the photos are your own: `root` says where they lie".into(),
            ..Source::default()
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        for (split, count) in [("train", 10), ("test", 4)] {
            for (class, name) in ["one", "two"].into_iter().enumerate() {
                for photo in 0..count {
                    write_photo(&folder.join(format!("{split}/{name}/{photo}.png")), class, photo)?;
                }
            }
        }
        Ok(root_option(folder))
    }
}

impl ImageFolder {
    /// The training split's folder; `root` itself where nobody named another, and it holds photos and nothing else, or where
    /// folders are no classes, no split.
    fn train(&self, list: impl Fn(&Path) -> Result<Listing>) -> Result<Listing> {
        let train = self.root.join(&self.train);
        if self.train == Path::new(TRAIN) && !train.exists() {
            let training = self.root.join(TRAINING);
            if training.is_dir() {
                return list(&training);
            }
            // If there is none, either, that is what is wrong.
            let root = list(&self.root)?;
            let split = TESTS
                .into_iter()
                .find(|name| root.folders.iter().any(|folder| folder == name));
            if root.is_flat() || !self.labels && split.is_none() {
                return Ok(root);
            }
            if let Some(split) = split {
                let message = format!(
                    "holds `{split}`, and neither `{TRAIN}` nor `{TRAINING}`; the option `train` names the training split's folder"
                );
                return Err(Error::data(&self.root, message));
            }
        }
        list(&train)
    }

    /// The training split's folder without that of `test`, where somebody named one in it: nobody trains on what is tested on.
    fn without_test(&self, mut train: Listing) -> Result<Listing> {
        let Some(test) = self.test.as_ref().map(|test| self.root.join(test)) else {
            return Ok(train);
        };
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.into());
        let (real_test, real_train) = (real(&test), real(&train.path));
        let below = test.strip_prefix(&train.path).or(real_test.strip_prefix(&real_train));
        let mut below = below.unwrap_or(Path::new("")).components();
        match (below.next(), below.next()) {
            // Elsewhere, or the same folder.
            (None, _) => {}
            (Some(name), None) => train.folders.retain(|folder| folder != name.as_os_str()),
            (Some(_), Some(_)) => {
                let message = "`test` names a folder within one to train on; move it, or set `train` to another folder";
                return Err(Error::data(test, message));
            }
        }
        Ok(train)
    }

    /// The test split's folder, and a line where it is not the first that there is, and for each that might have been meant.
    fn test_folder(&self, classes: &[OsString]) -> Result<(PathBuf, Vec<String>)> {
        let own = format!(
            "`test = {:?}`, the folder of `train`, tests on the training photos",
            self.train
        );
        if let Some(test) = &self.test {
            let path = self.root.join(test);
            return match path.is_dir() {
                true => Ok((path, vec![])),
                false => {
                    let message = format!("there is no such folder; `test` names one below `root`; {own}");
                    Err(Error::data(path, message))
                }
            };
        }
        let there: Vec<_> = TESTS.into_iter().filter(|name| self.root.join(name).is_dir()).collect();
        let Some(first) = there.first() else {
            let message = format!(
                "holds none of {}; the option `test` names another folder below it; {own}",
                TESTS.join(", ")
            );
            return Err(Error::data(&self.root, message));
        };
        let has_a_class = |name: &&&str| classes.iter().any(|class| self.root.join(name).join(class).is_dir());
        let mut with_classes = there.iter().filter(has_a_class);
        let Some(taken) = with_classes.next() else {
            // Listing it says what it holds.
            return Ok((self.root.join(first), vec![]));
        };
        let mut notes = Vec::new();
        if taken != first {
            let path = self.root.join(first);
            notes.push(format!(
                "{}: holds no class of training; the test split is `{taken}`",
                path.display()
            ));
        }
        notes.extend(with_classes.map(|other| {
            let path = self.root.join(other);
            format!(
                "{}: is not used, since the test split is `{taken}`; `test = {other:?}` tests on it",
                path.display()
            )
        }));
        Ok((self.root.join(taken), notes))
    }
}

#[cfg(test)]
mod tests;
