//! `food101`: Food-101.
//!
//! Source: Bossard, Guillaumin, Van Gool, "Food-101: mining discriminative components with random forests", ECCV 2014,
//! <https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/>.

use super::files::{root_option, write};
use super::listed::{Lines, Listed, Numbers};
use super::photos::write_photo;
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Food-101 from `images/CLASS/` and `meta/`: 101 dishes, 75,750 training images with some wrong labels (`train.txt`) and 25,250 test
/// images. Papers report the accuracy (top 1; Kornblith et al., CVPR 2019).
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Food101 {
    /// The folder `food-101`, or the one that it lies in: the data folder (`$FMICL_DATA`, else `data`) unless given. Relative to the
    /// working directory.
    pub root: PathBuf,
}

impl Default for Food101 {
    fn default() -> Self {
        Food101 { root: data_folder() }
    }
}

register!(Dataset, "food101", Food101, "Food-101 in its official layout and split");

const PLACE: Place = Place {
    folder: "food-101",
    marker: "meta",
    archive: "food-101.tar.gz",
    remedy: "run `fmicl data fetch food101`",
};

impl Dataset for Food101 {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let (root, hint) = (PLACE.find(&self.root)?, PLACE.hint());
        let list = |name: &str| Lines::read(root.join("meta").join(name), &hint);
        let mut classes = list("classes.txt")?.classes(&hint)?;
        classes.sort_unstable();
        let numbers = Numbers::new(&classes);
        let lines = list(if split == Split::Test { "test.txt" } else { "train.txt" })?;
        let mut photos = Listed::new(&root, &classes, &hint);
        for (line, text) in lines.iter() {
            let Some((class, _)) = text.split_once('/') else {
                return Err(lines.wrong(
                    line,
                    format!("`{text}` is not a class and a photo such as sushi/1234; {hint}"),
                ));
            };
            let label = numbers.of(class, &lines, line, "classes.txt")?;
            photos.add_line(&lines, line, &format!("images/{text}.jpg"), label)?;
        }
        photos.samples(&lines.path)
    }

    fn source(&self) -> Source {
        Source {
            downloads: vec![PLACE.download(
                "http://data.vision.ee.ethz.ch/cvl/",
                4_996_278_331,
                "85eeb15f3717b99a5da872d97d918f87",
                6_000_000_000,
            )],
            page: "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/".into(),
            terms: "the photos' owners keep their copyright (foodspotting.com); for research".into(),
            ..PLACE.source(&self.root)
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let classes = ["apple_pie", "waffles"];
        for (list, from, count) in [("train.txt", 1000, 8), ("test.txt", 2000, 3)] {
            let mut lines = String::new();
            for (class, name) in classes.into_iter().enumerate() {
                for photo in from..from + count {
                    write_photo(&folder.join(format!("images/{name}/{photo}.jpg")), class, photo)?;
                    lines += &format!("{name}/{photo}\n");
                }
            }
            write(&folder.join("meta").join(list), lines.as_bytes())?;
        }
        write(&folder.join("meta/classes.txt"), (classes.join("\n") + "\n").as_bytes())?;
        Ok(root_option(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(folder: &Path) -> Food101 {
        Food101::default().example(folder).unwrap();
        Food101 { root: folder.into() }
    }

    #[test]
    fn lists_name_photos_without_their_extension() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let (train, test) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
        assert_eq!(
            (train.len(), test.len(), train.class_names()),
            (16, 6, test.class_names())
        );
        assert_eq!(train.class_names(), ["apple_pie", "waffles"]);
        assert_eq!((train.label(7), train.label(8), test.label(3)), (0, 1, 1));
        assert_eq!(test.path(3), Some(folder.path().join("images/waffles/2000.jpg")));
    }

    #[test]
    fn lists_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let meta = folder.path().join("meta");
        let error = || dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
        let cases = [
            (
                "2000\n",
                "test.txt: line 1: `2000` is not a class and a photo such as sushi/1234; unpack",
            ),
            (
                "sushi/1\n",
                "line 1: the class `sushi` is not among the 2 of classes.txt",
            ),
            (
                "waffles/2003\n",
                "line 1: `2003.jpg` is not a photo in `images/waffles`",
            ),
            ("\n\n", "test.txt: is empty"),
        ];
        for (text, expected) in cases {
            std::fs::write(meta.join("test.txt"), text).unwrap();
            assert!(error().contains(expected), "{}", error());
        }
        std::fs::write(meta.join("classes.txt"), "waffles\nwaffles\n").unwrap();
        assert!(error().contains("classes.txt: line 2: the class `waffles` is given twice"));
        std::fs::remove_file(meta.join("classes.txt")).unwrap();
        assert!(error().contains("classes.txt: there is no such file; unpack `food-101.tar.gz` again"));
    }
}
