//! `image-folder`: photos in a folder a class.
//!
//! Source: torchvision's `ImageFolder`: classes are numbered in the order of their folders' names, files may lie at any
//! depth below. Their order is the same, too.

mod splits;

use super::files::root_option;
use super::labels::ReadLabels;
use super::links::{FollowLinks, Links};
use super::listing::Listing;
use super::photos::write_photo;
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, require, toml};
use serde::{Deserialize, Serialize};
use splits::TRAIN;
pub use splits::{TESTS, called};
use std::path::{Path, PathBuf};

/// Image files as `ROOT/train/CLASS/...` and `ROOT/test/CLASS/...` (or `val`; capitals are as good), decoded when they are needed.
/// Photos that lie in `ROOT/train` or `ROOT` without class folders have no labels.
///
/// JPEG, PNG, WebP, TIFF, BMP, GIF, PPM, PGM and PBM are read, told by their content, where the extension is one of
/// torchvision's `ImageFolder`, .gif, .pbm, .pnm, .jpe or .jfif; hidden files are not. Other files are counted. Of an animation
/// it is the first frame. Gray, palette, CMYK and transparent images become RGB as with PIL's `convert("RGB")`; the orientation
/// that a file states is ignored as PIL ignores it, but for TIFF, which PIL turns. The pixels are PIL's to the bit, but for gray
/// samples of 16 bits, which are scaled to 8 bits (PIL clips them). Of a JPEG no more is decoded than its views need. Where the views have
/// other channels than 1 and 3, or a `range`, TIFF, PNG and .npy are read as they are stored; .npy files are samples of classes without other
/// images.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageFolder {
    /// The folder that holds the splits; relative to the working directory. Required.
    pub root: PathBuf,
    /// The training split's folder below `root`; `"."` where the class folders lie in `root` itself. Where there is no `train`, it is
    /// `training`.
    pub train: PathBuf,
    /// `given`, the default: a photo's folder is its class. With `none` photos at any depth have no labels; they are those of `root`
    /// itself where it holds neither `train` nor a test split.
    pub labels: ReadLabels,
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
            labels: ReadLabels::Given,
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

impl Dataset for ImageFolder {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        require(!self.root.as_os_str().is_empty(), "root", || {
            "is missing: set it to a folder that holds train/CLASS/ and test/CLASS/ or val/CLASS/".into()
        })?;
        let links = |split: &Path| Links::new(&[&self.root, split], self.links);
        let list = |folder: &Path| Listing::of(folder, &links(folder), HINT);
        let (train, notes) = self.train(list)?;
        let is_flat = train.is_flat();
        if is_flat || !self.labels.are_read() {
            let (listing, notes) = match split {
                Split::Pretrain | Split::Train => (train, notes),
                Split::Test => (list(&self.test_folder(&[])?.0)?, vec![]),
            };
            let folder = listing.path.clone();
            let mut photos = listing.unlabelled(&links(&folder))?;
            photos.notes = notes;
            if is_flat && self.labels.are_read() {
                let path = folder.display();
                photos
                    .notes
                    .push(format!("{path}: photos without class folders have no labels"));
            }
            return Ok(Box::new(photos));
        }
        let classes = train.classes(HINT)?;
        let (mut photos, notes) = match split {
            Split::Pretrain | Split::Train => (train.labelled(classes, &links(&train.path), HINT)?, notes),
            Split::Test => {
                let (test, notes) = self.test_folder(classes)?;
                (list(&test)?.labelled(classes, &links(&test), HINT)?, notes)
            }
        };
        photos.notes.extend(notes);
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

#[cfg(test)]
mod tests;
