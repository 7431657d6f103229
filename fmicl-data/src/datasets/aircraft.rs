//! `aircraft`: FGVC-Aircraft.
//!
//! Source: Maji, Rahtu, Kannala, Blaschko, Vedaldi, "Fine-grained visual classification of aircraft", 2013,
//! <https://arxiv.org/abs/1306.5151>, <https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/>.

use super::download::archive;
use super::files::{root_option, write};
use super::listed::{Lines, Listed, Numbers};
use super::photos::write_photo;
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// FGVC-Aircraft from `data/`: 100 variants, 6,667 training images (`images_variant_trainval.txt`) and 3,333 test images. Papers
/// report the mean accuracy per class, `balanced`, of the variants (Kornblith et al., CVPR 2019).
///
/// The lowest 20 rows of each photo name its owner. They are part of the image, as with torchvision.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Aircraft {
    /// The folder `fgvc-aircraft-2013b`, or the one that it lies in: the data folder (`$FMICL_DATA`, else `data`) unless given.
    /// Relative to the working directory.
    pub root: PathBuf,
    /// Classes: the 100 `variant`s such as 737-700, the 70 of `family` such as Boeing 737, or the 30 of `manufacturer` such as Boeing.
    pub labels: AircraftLabels,
}

/// Classes of FGVC-Aircraft, from fine to coarse, as an option.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AircraftLabels {
    /// Models that can be told apart by sight.
    #[default]
    Variant,
    /// Families of variants.
    Family,
    /// Manufacturers.
    Manufacturer,
}

impl Default for Aircraft {
    fn default() -> Self {
        Aircraft {
            root: data_folder(),
            labels: AircraftLabels::default(),
        }
    }
}

register!(
    Dataset,
    "aircraft",
    Aircraft,
    "FGVC-Aircraft in its official layout and split: variants, families or manufacturers"
);

const PLACE: Place = Place {
    folder: "fgvc-aircraft-2013b",
    marker: "data",
    archive: "fgvc-aircraft-2013b.tar.gz",
    remedy: "run `fmicl data fetch aircraft`",
};

impl AircraftLabels {
    /// The word in the names of the lists, and the list of the classes.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            AircraftLabels::Variant => ("variant", "variants.txt"),
            AircraftLabels::Family => ("family", "families.txt"),
            AircraftLabels::Manufacturer => ("manufacturer", "manufacturers.txt"),
        }
    }
}

impl Dataset for Aircraft {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let (root, hint) = (PLACE.find(&self.root)?, PLACE.hint());
        let list = |name: &str| Lines::read(root.join("data").join(name), &hint);
        let (level, names) = self.labels.names();
        let classes = list(names)?.classes(&hint)?;
        let numbers = Numbers::new(&classes);
        let lists = if split == Split::Test { "test" } else { "trainval" };
        let lines = list(&format!("images_{level}_{lists}.txt"))?;
        let mut photos = Listed::new(&root, &classes, &hint);
        for (line, text) in lines.iter() {
            let Some((photo, class)) = text.split_once(' ') else {
                return Err(lines.wrong(
                    line,
                    format!("`{text}` is not a photo and a class such as 0034309 737-700; {hint}"),
                ));
            };
            let label = numbers.of(class, &lines, line, names)?;
            photos.add_line(&lines, line, &format!("data/images/{photo}.jpg"), label)?;
        }
        photos.samples(&lines.path)
    }

    fn source(&self) -> Source {
        Source {
            // torchvision has no checksum; this one is what many programs check.
            downloads: vec![archive(
                "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz",
                None,
                "d4acdd33327262359767eeaa97a4f732",
                PLACE.folder,
                3_500_000_000,
            )],
            page: "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/".into(),
            terms: "the photos' owners allow non-commercial research".into(),
            ..PLACE.source(&self.root)
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let data = folder.join("data");
        let variants = [("A300B4", "A300", "Airbus"), ("727-200", "Boeing 727", "Boeing")];
        let pick = |level: &str, (variant, family, manufacturer)| match level {
            "variant" => variant,
            "family" => family,
            _ => manufacturer,
        };
        for labels in [
            AircraftLabels::Variant,
            AircraftLabels::Family,
            AircraftLabels::Manufacturer,
        ] {
            let (level, names) = labels.names();
            let mut classes = variants.map(|variant| pick(level, variant));
            classes.sort_unstable();
            write(&data.join(names), (classes.join("\n") + "\n").as_bytes())?;
            for (list, from, count) in [("trainval", 0, 8), ("test", 8, 2)] {
                let mut lines = String::new();
                for (class, variant) in variants.into_iter().enumerate() {
                    for photo in from..from + count {
                        let id = 34_309 + 100 * class + photo;
                        write_photo(&data.join(format!("images/{id:07}.jpg")), class, photo)?;
                        lines += &format!("{id:07} {}\n", pick(level, variant));
                    }
                }
                write(&data.join(format!("images_{level}_{list}.txt")), lines.as_bytes())?;
            }
        }
        Ok(root_option(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(folder: &Path, labels: AircraftLabels) -> Aircraft {
        Aircraft::default().example(folder).unwrap();
        let root = folder.into();
        Aircraft { root, labels }
    }

    #[test]
    fn classes_are_variants_families_or_manufacturers_and_may_hold_blanks() {
        let folder = tempfile::tempdir().unwrap();
        let cases = [
            (AircraftLabels::Variant, ["727-200", "A300B4"], 1),
            (AircraftLabels::Family, ["A300", "Boeing 727"], 0),
            (AircraftLabels::Manufacturer, ["Airbus", "Boeing"], 0),
        ];
        for (labels, names, first) in cases {
            let dataset = example(folder.path(), labels);
            let (train, test) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
            assert_eq!((train.len(), test.len()), (16, 4));
            assert_eq!(train.class_names(), names);
            assert_eq!((train.label(0), test.label(3)), (first, 1 - first));
            assert_eq!(test.path(3), Some(folder.path().join("data/images/0034418.jpg")));
        }
    }

    #[test]
    fn lists_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path(), AircraftLabels::Variant);
        let cases = [
            (
                "0034317\n",
                "line 1: `0034317` is not a photo and a class such as 0034309 737-700; unpack",
            ),
            (
                "0034317 747\n",
                "line 1: the class `747` is not among the 2 of variants.txt",
            ),
            (
                "0034300 A300B4\n",
                "line 1: `0034300.jpg` is not a photo in `data/images`",
            ),
            (
                "../x A300B4\n",
                "line 1: `data/images/../x.jpg` is not a path in this dataset",
            ),
            ("", "images_variant_test.txt: is empty"),
        ];
        for (text, expected) in cases {
            std::fs::write(folder.path().join("data/images_variant_test.txt"), text).unwrap();
            let error = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
