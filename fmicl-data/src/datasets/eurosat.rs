//! `eurosat`: EuroSAT, the red, green and blue bands.
//!
//! Source: Helber, Bischke, Dengel, Borth, "EuroSAT: a novel dataset and deep learning benchmark for land use and land cover
//! classification", JSTARS 2019, <https://github.com/phelber/EuroSAT>.

use super::download::{archive, file};
use super::drawn::Drawn;
use super::files::{root_option, write};
use super::listed::{Lines, Listed, Numbers};
use super::photos::write_photo;
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// EuroSAT from `2750/CLASS/`: 27,000 satellite images of 64 x 64 pixels in 10 classes. There is no official split; four fifths are for
/// training, one fifth for the test, by one of two published rules. Papers report the accuracy (top 1).
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EuroSat {
    /// The folder that holds `2750`, or the one that such a folder `eurosat` lies in: the data folder (`$FMICL_DATA`, else `data`) unless
    /// given. Relative to the working directory.
    pub root: PathBuf,
    /// The split: `random`, four fifths of each class (Helber et al., 2019), or `lists`, the files `eurosat-train.txt` and
    /// `eurosat-val.txt` (together the training split) and `eurosat-test.txt` beside `2750` (Neumann, Pinto, Zhai, Houlsby, "In-domain
    /// representation learning for remote sensing", 2019; torchgeo).
    pub split: EuroSatSplit,
    /// Seed of the random split.
    pub seed: u64,
}

/// Splits of EuroSAT.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EuroSatSplit {
    /// Four fifths of each class at random for training.
    #[default]
    Random,
    /// Published lists.
    Lists,
}

impl Default for EuroSat {
    fn default() -> Self {
        EuroSat {
            root: data_folder(),
            split: EuroSatSplit::default(),
            seed: 0,
        }
    }
}

register!(
    Dataset,
    "eurosat",
    EuroSat,
    "EuroSAT, satellite images of 64x64 pixels in red, green and blue"
);

const PLACE: Place = Place {
    folder: "eurosat",
    marker: PHOTOS,
    archive: "EuroSAT.zip",
    remedy: "run `fmicl data fetch eurosat` (with `--set split=lists` for the lists)",
};
const PHOTOS: &str = "2750";

impl Dataset for EuroSat {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let (root, hint) = (PLACE.find(&self.root)?, PLACE.hint());
        let drawn = Drawn {
            root: &root,
            folder: PHOTOS,
            seed: self.seed,
            hint: &hint,
        };
        let classes = drawn.classes()?;
        match (self.split, split) {
            (EuroSatSplit::Random, _) => Ok(Box::new(drawn.photos(&classes, split, |count| count * 4 / 5)?)),
            (EuroSatSplit::Lists, Split::Test) => listed(&root, &classes, &["test"], &hint),
            (EuroSatSplit::Lists, _) => listed(&root, &classes, &["train", "val"], &hint),
        }
    }

    fn source(&self) -> Source {
        let mut downloads = vec![archive(
            // The authors' address, madm.dfki.de, is gone; this is the same file, torchvision's address for it.
            "https://huggingface.co/datasets/torchgeo/eurosat/resolve/c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
            Some(94_280_567),
            "c8fa014336c82ac7804f0398fcb19387",
            PHOTOS,
            150_000_000,
        )];
        if self.split == EuroSatSplit::Lists {
            let list = |(name, md5): (&str, &str)| {
                let base = "https://hf.co/datasets/torchgeo/eurosat/resolve/1ce6f1bfb56db63fd91b6ecc466ea67f2509774c";
                file(&format!("{base}/eurosat-{name}.txt"), None, md5)
            };
            let lists = [
                ("train", "908f142e73d6acdf3f482c5e80d851b1"),
                ("val", "95de90f2aa998f70a3b2416bfe0687b4"),
                ("test", "7ae5ab94471417b6e315763121e67c5f"),
            ];
            downloads.extend(lists.map(list));
        }
        Source {
            folder: self.root.join(PLACE.folder),
            downloads,
            page: "https://github.com/phelber/EuroSAT".into(),
            terms: "MIT; the images are Copernicus Sentinel data".into(),
            ..PLACE.source(&self.root)
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let mut lists = [const { String::new() }; 3];
        for (class, name) in ["AnnualCrop", "Forest"].into_iter().enumerate() {
            for photo in 1..=12 {
                let file = format!("{name}_{photo}.jpg");
                write_photo(&folder.join(format!("{PHOTOS}/{name}/{file}")), class, photo)?;
                let list = if photo <= 6 { 0 } else { 1 + photo % 2 };
                lists[list] += &(file + "\n");
            }
        }
        for (name, lines) in ["train", "val", "test"].into_iter().zip(lists) {
            write(&folder.join(format!("eurosat-{name}.txt")), lines.as_bytes())?;
        }
        Ok(root_option(folder))
    }
}

/// The photos of lists, a name such as Forest_12.jpg a line.
fn listed(root: &Path, classes: &[OsString], lists: &[&str], hint: &str) -> Result<Box<dyn Samples>> {
    let numbers = Numbers::new(classes);
    let mut photos = Listed::new(root, classes, hint);
    let path = |list: &str| root.join(format!("eurosat-{list}.txt"));
    for list in lists {
        let lines = Lines::read(path(list), hint)?;
        for (line, text) in lines.iter() {
            let Some((class, _)) = text.rsplit_once('_') else {
                return Err(lines.wrong(line, format!("`{text}` is not a photo such as Forest_12.jpg; {hint}")));
            };
            let label = numbers.of(class, &lines, line, PHOTOS)?;
            photos.add_line(&lines, line, &format!("{PHOTOS}/{class}/{text}"), label)?;
        }
    }
    photos.samples(&path(lists[lists.len() - 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(folder: &Path, split: EuroSatSplit) -> EuroSat {
        EuroSat::default().example(folder).unwrap();
        let root = folder.into();
        EuroSat { root, split, seed: 0 }
    }

    #[test]
    fn four_fifths_of_each_class_are_for_training() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path(), EuroSatSplit::Random);
        let (train, test) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
        assert_eq!(
            (train.len(), test.len(), train.class_names()),
            (18, 6, test.class_names())
        );
        assert_eq!(train.class_names(), ["AnnualCrop", "Forest"]);
        assert_eq!((train.label(8), train.label(9), test.label(3)), (0, 1, 1));
        let train: Vec<_> = (0..18).map(|index| train.path(index)).collect();
        assert!((0..6).all(|index| !train.contains(&test.path(index))));
    }

    #[test]
    fn lists_make_the_split_if_told() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path(), EuroSatSplit::Lists);
        let (train, test) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
        assert_eq!((train.len(), test.len(), train.label(6), test.label(3)), (18, 6, 1, 1));
        assert_eq!(test.path(3), Some(folder.path().join("2750/Forest/Forest_7.jpg")));
        fmicl_core::testing::check_dataset(&*train);
        let cases = [
            (
                "Forest.jpg\n",
                "line 1: `Forest.jpg` is not a photo such as Forest_12.jpg",
            ),
            ("Sea_1.jpg\n", "line 1: the class `Sea` is not among the 2 of 2750"),
            (
                "Forest_13.jpg\n",
                "line 1: `Forest_13.jpg` is not a photo in `2750/Forest`",
            ),
            ("", "eurosat-test.txt: is empty"),
        ];
        for (text, expected) in cases {
            std::fs::write(folder.path().join("eurosat-test.txt"), text).unwrap();
            let error = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        std::fs::remove_file(folder.path().join("eurosat-test.txt")).unwrap();
        let error = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.contains("there is no such file; unpack `EuroSAT.zip` again, or run `fmicl data fetch eurosat`"),
            "{error}"
        );
    }
}
