//! `image-folder`: photos in a folder a class.
//!
//! Source: torchvision's `ImageFolder`: classes are numbered in the order of their folders' names, files may lie at any
//! depth below.

use super::files::root_option;
use super::links::{FollowLinks, Links};
use super::listing;
use super::photos::write_photo;
use fmicl_core::{Dataset, Error, Result, Samples, Source, Split, register, require, toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// JPEG and PNG files as `ROOT/train/CLASS/...` and `ROOT/test/CLASS/...` (or `val`), decoded when they are needed.
///
/// Gray, palette, CMYK and transparent images become RGB as with PIL's `convert("RGB")`, 16-bit ones are scaled to 8 bits
/// (PIL clips them); EXIF orientation is ignored, as in torchvision. The pixels of JPEG files are PIL's to the bit (but for
/// CMYK ones), and of each no more is decoded than its views need.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageFolder {
    /// The folder that holds the splits; relative to the working directory.
    pub root: PathBuf,
    /// The training split's folder below `root`; `"."` where the class folders lie in `root` itself.
    pub train: PathBuf,
    /// The test split's folder below `root`; it may be that of `train`. Absent: `test` if there is one, else `val`.
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
            train: "train".into(),
            test: None,
            links: FollowLinks::default(),
        }
    }
}

register!(
    Dataset,
    "image-folder",
    ImageFolder,
    "JPEG and PNG files in a folder a class, as torchvision's ImageFolder"
);

const HINT: &str = "`root` should hold train/CLASS/ and test/CLASS/ or val/CLASS/";

impl Dataset for ImageFolder {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        require(!self.root.as_os_str().is_empty(), "root", || {
            "is missing: set it to a folder that holds train/CLASS/ and test/CLASS/ or val/CLASS/".into()
        })?;
        let train = self.root.join(&self.train);
        let links = |split: &Path| Links::new(&[&self.root, split], self.links);
        let classes = listing::classes(&train, &links(&train), HINT)?;
        let photos = match split {
            Split::Pretrain | Split::Train => listing::photos(&train, &classes, &links(&train), HINT)?,
            Split::Test => {
                let test = self.test_folder()?;
                listing::photos(&test, &classes, &links(&test), HINT)?
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
    fn test_folder(&self) -> Result<PathBuf> {
        match &self.test {
            Some(test) => Ok(self.root.join(test)),
            None => ["test", "val"].map(|name| self.root.join(name)).into_iter().find(|path| path.is_dir()).ok_or_else(|| {
                let message = "holds neither `test` nor `val`; the option `test` names another folder, such as that of `train`";
                Error::data(&self.root, message)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_dataset;
    use image::{DynamicImage, GrayAlphaImage, GrayImage, LumaA, RgbImage, RgbaImage};

    /// A photo-like image of one colour a column.
    fn photo(width: u32, height: u32, seed: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([x * 7 + seed, y * 5, x + y].map(|value| (value % 256) as u8))
        })
    }

    fn save(image: impl Into<DynamicImage>, path: PathBuf) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image.into().save(path).unwrap();
    }

    /// Two classes, `cat` with two images and `dog` with one, in `train` and `val`.
    fn write(root: &Path) -> ImageFolder {
        for split in ["train", "val"] {
            save(photo(12, 9, 1), root.join(split).join("dog/a.PNG"));
            save(photo(10, 8, 2), root.join(split).join("cat/deep/b.png"));
            save(photo(16, 16, 3), root.join(split).join("cat/c.JPEG"));
            std::fs::write(root.join(split).join("cat/notes.txt"), "not an image").unwrap();
        }
        ImageFolder {
            root: root.into(),
            ..Default::default()
        }
    }

    fn error(dataset: &ImageFolder, split: Split) -> String {
        dataset.open(split).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn classes_are_numbered_by_name_and_val_is_the_test_split() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = write(folder.path());
        for split in [Split::Pretrain, Split::Test] {
            let samples = dataset.open(split).unwrap();
            check_dataset(&*samples);
            let labels: Vec<_> = (0..samples.len()).map(|index| samples.label(index)).collect();
            assert_eq!((labels, samples.classes()), (vec![0, 0, 1], 2));
            assert_eq!(samples.class_names(), ["cat", "dog"]);
            assert!(samples.path(2).unwrap().ends_with("dog/a.PNG"));
            assert_eq!(samples.image(2).unwrap().pixels, photo(12, 9, 1).into_raw());
            let (image, photo) = (samples.image(0).unwrap(), photo(16, 16, 3).into_raw());
            assert_eq!((image.width, image.height), (16, 16));
            let off: i64 = image
                .pixels
                .iter()
                .zip(&photo)
                .map(|(a, b)| i64::from(a.abs_diff(*b)))
                .sum();
            assert!(off / 768 < 16, "a JPEG is off by {} on average", off / 768);
        }
    }

    #[test]
    fn class_folders_may_lie_in_the_root_and_splits_may_coincide() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let root = folder.path().join("train");
        let dataset = ImageFolder {
            root,
            train: ".".into(),
            test: Some(".".into()),
            ..Default::default()
        };
        assert_eq!(dataset.open(Split::Train).unwrap().len(), 3);
        assert_eq!(dataset.open(Split::Test).unwrap().len(), 3);
    }

    #[test]
    fn gray_and_transparent_images_become_rgb_as_pil_does_it() {
        let folder = tempfile::tempdir().unwrap();
        let class = folder.path().join("train/only");
        save(GrayImage::from_raw(1, 1, vec![90]).unwrap(), class.join("a.png"));
        save(
            RgbaImage::from_raw(1, 1, vec![10, 20, 30, 40]).unwrap(),
            class.join("b.png"),
        );
        save(GrayAlphaImage::from_pixel(1, 1, LumaA([70, 0])), class.join("c.png"));
        let samples = ImageFolder {
            root: folder.path().into(),
            ..Default::default()
        }
        .open(Split::Train)
        .unwrap();
        let pixels: Vec<_> = (0..3).map(|index| samples.image(index).unwrap().pixels).collect();
        // Transparency is dropped, not blended.
        assert_eq!(pixels, [[90, 90, 90], [10, 20, 30], [70, 70, 70]]);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = write(folder.path());
        assert!(error(&ImageFolder::default(), Split::Train).starts_with("root: is missing: set it to a folder"));
        let elsewhere = ImageFolder {
            root: folder.path().join("nowhere"),
            ..Default::default()
        };
        assert!(error(&elsewhere, Split::Train).contains("nowhere/train: there is no such folder; `root` should hold"));

        std::fs::create_dir(folder.path().join("train/empty")).unwrap();
        assert!(error(&dataset, Split::Train).contains("train/empty: holds no .jpg, .jpeg or .png file"));
        save(photo(2, 2, 0), folder.path().join("val/bird/a.png"));
        assert!(error(&dataset, Split::Test).contains("the class `bird` is not among the 3 of training"));
        std::fs::remove_dir_all(folder.path().join("val")).unwrap();
        assert!(error(&dataset, Split::Test).contains("holds neither `test` nor `val`; the option `test`"));
    }
}
