//! `caltech101`: Caltech-101.
//!
//! Source: Fei-Fei, Fergus, Perona, "Learning generative visual models from few training examples", CVPR workshop 2004,
//! <https://data.caltech.edu/records/mzrjq-6wc02>.

use super::download::archive;
use super::drawn::Drawn;
use super::files::root_option;
use super::photos::write_photo;
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Documented, Error, Result, Samples, Source, Split, register, require, toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Caltech-101 from `101_ObjectCategories/CLASS/`. There is no official split: 30 random images of each class are for training, all others
/// for the test, and papers report the mean accuracy per class, `balanced` (Kornblith et al., CVPR 2019; Chen et al., SimCLR, ICML 2020,
/// appendix B.8).
///
/// `101_ObjectCategories.tar.gz` lies within the official zip, and `fmicl data fetch` does not unpack it.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Caltech101 {
    /// The folder that holds `101_ObjectCategories`, or the one that such a folder `caltech-101` lies in: the data folder
    /// (`$FMICL_DATA`, else `data`) unless given. Relative to the working directory.
    pub root: PathBuf,
    /// Training images of each class, at least 1.
    pub per_class: usize,
    /// Seed that chooses them. Papers average over several.
    pub seed: u64,
    /// Whether `BACKGROUND_Google` is a class, too: 3,060 training and 6,084 test images in 102 classes, as Kornblith et al. count them.
    /// Without it, as with torchvision, 3,030 and 5,647 in 101.
    pub background: bool,
}

impl Default for Caltech101 {
    fn default() -> Self {
        Caltech101 {
            root: data_folder(),
            per_class: 30,
            seed: 0,
            background: false,
        }
    }
}

register!(
    Dataset,
    "caltech101",
    Caltech101,
    "Caltech-101, 30 random training images of each class"
);

const PLACE: Place = Place {
    folder: "caltech-101",
    marker: PHOTOS,
    archive: "caltech-101.zip",
    remedy: "run `fmicl data fetch caltech101`",
};
const PHOTOS: &str = "101_ObjectCategories";
const INNER: &str = "101_ObjectCategories.tar.gz";
const BACKGROUND: &str = "BACKGROUND_Google";

impl Dataset for Caltech101 {
    fn validate(&self) -> Result<()> {
        require(self.per_class >= 1, "per_class", || {
            "0 images cannot be trained on; use at least 1".into()
        })
    }

    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let root = PLACE.find(&self.root)?;
        if !root.join(PHOTOS).exists() && root.join(INNER).is_file() {
            let message = format!("is not unpacked: `tar -xzf {INNER}` in its folder does it");
            return Err(Error::data(root.join(INNER), message));
        }
        let drawn = Drawn {
            root: &root,
            folder: PHOTOS,
            seed: self.seed,
            hint: &format!("unpack `{INNER}` again, which lies in `{}`", PLACE.archive),
        };
        let mut classes = drawn.classes()?;
        classes.retain(|class| self.background || class != BACKGROUND);
        Ok(Box::new(drawn.photos(&classes, split, |_| self.per_class)?))
    }

    fn source(&self) -> Source {
        Source {
            downloads: vec![archive(
                "https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip",
                Some(137_414_764),
                "3138e1922a9193bfa496528edbbc45d0",
                PLACE.folder,
                200_000_000,
            )],
            page: "https://data.caltech.edu/records/mzrjq-6wc02".into(),
            terms: "CC BY 4.0".into(),
            ..PLACE.source(&self.root)
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        for (class, name) in ["Faces", BACKGROUND, "airplanes"].into_iter().enumerate() {
            for photo in 1..=10 + class {
                write_photo(
                    &folder.join(format!("{PHOTOS}/{name}/image_{photo:04}.jpg")),
                    class,
                    photo,
                )?;
            }
        }
        let mut options = root_option(folder);
        options.insert("per_class".into(), 8.into());
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn example(folder: &Path) -> Caltech101 {
        Caltech101::default().example(folder).unwrap();
        Caltech101 {
            root: folder.into(),
            per_class: 8,
            ..Caltech101::default()
        }
    }

    fn paths(dataset: &Caltech101, split: Split) -> Vec<PathBuf> {
        let samples = dataset.open(split).unwrap();
        (0..samples.len()).flat_map(|index| samples.path(index)).collect()
    }

    #[test]
    fn the_seed_splits_every_class_into_so_many_and_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let mut dataset = example(folder.path());
        let (train, test) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
        assert_eq!(
            (train.len(), test.len(), train.class_names()),
            (16, 6, test.class_names())
        );
        assert_eq!(train.class_names(), ["Faces", "airplanes"]);
        assert_eq!(
            (train.label(7), train.label(8), test.label(1), test.label(2)),
            (0, 1, 0, 1)
        );
        let split = (paths(&dataset, Split::Train), paths(&dataset, Split::Test));
        let all: BTreeSet<_> = split.0.iter().chain(&split.1).collect();
        assert_eq!(all.len(), 22, "no photo is in both");
        dataset.seed = 1;
        assert_ne!(paths(&dataset, Split::Train), split.0, "another seed, another split");
        dataset.seed = 0;
        dataset.background = true;
        let with = dataset.open(Split::Test).unwrap();
        assert_eq!(
            (with.len(), with.classes(), with.class_names()[0].as_str()),
            (9, 3, BACKGROUND)
        );
        assert_eq!(
            paths(&dataset, Split::Train)[8..],
            split.0,
            "the others are split as before"
        );
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let mut dataset = example(folder.path());
        let error = |dataset: &Caltech101| dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
        dataset.per_class = 10;
        assert!(
            error(&dataset)
                .contains("Faces: 10 photos cannot be split into 10 for training and the rest for the test; unpack")
        );
        dataset.per_class = 0;
        assert!(dataset.validate().is_err());
        std::fs::rename(folder.path().join(PHOTOS), folder.path().join("caltech-101")).unwrap();
        super::super::files::write(&folder.path().join("caltech-101").join(INNER), b"").unwrap();
        let found = error(&dataset);
        let expected = format!("caltech-101/{INNER}: is not unpacked: `tar -xzf {INNER}` in its folder does it");
        assert!(found.contains(&expected), "{found}");
    }
}
