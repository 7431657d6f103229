//! `dtd`: the Describable Textures Dataset.
//!
//! Source: Cimpoi, Maji, Kokkinos, Mohamed, Vedaldi, "Describing textures in the wild", CVPR 2014,
//! <https://www.robots.ox.ac.uk/~vgg/data/dtd/>.

use super::files::{root_option, write};
use super::listed::{Lines, Listed, Numbers};
use super::photos::write_photo;
use super::place::{Place, data_folder};
use super::training_lists::TrainingLists;
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, require, toml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The Describable Textures Dataset from `images/CLASS/` and `labels/`: 47 textures, 3,760 training images (`train1.txt` and `val1.txt`,
/// 1,880 each) and 1,880 test images. Papers report the accuracy (top 1) of partition 1 (Kornblith et al., CVPR 2019).
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dtd {
    /// The folder `dtd`, or the one that it lies in: the data folder (`$FMICL_DATA`, else `data`) unless given. Relative to the
    /// working directory.
    pub root: PathBuf,
    /// Partition of the images into lists, from 1 to 10.
    pub partition: usize,
    /// Lists that make the training split: `train-val`, as results are reported, or `train` alone.
    pub train: TrainingLists,
}

impl Default for Dtd {
    fn default() -> Self {
        Dtd {
            root: data_folder(),
            partition: 1,
            train: TrainingLists::default(),
        }
    }
}

register!(
    Dataset,
    "dtd",
    Dtd,
    "Describable Textures, 47 classes, in its official layout and partitions"
);

const PLACE: Place = Place {
    folder: "dtd",
    marker: "labels",
    archive: "dtd-r1.0.1.tar.gz",
    remedy: "run `fmicl data fetch dtd`",
};

impl Dataset for Dtd {
    fn validate(&self) -> Result<()> {
        require((1..=10).contains(&self.partition), "partition", || {
            format!("{} is not one of the partitions 1 to 10", self.partition)
        })
    }

    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let (root, hint) = (PLACE.find(&self.root)?, PLACE.hint());
        let list = |name: &str| Lines::read(root.join(format!("labels/{name}{}.txt", self.partition)), &hint);
        let mut lists = vec![list("train")?];
        if self.train == TrainingLists::TrainVal {
            lists.push(list("val")?);
        }
        let mut classes = BTreeSet::new();
        for lines in &lists {
            for (line, text) in lines.iter() {
                classes.insert(OsString::from(class(lines, line, text)?));
            }
        }
        let classes: Vec<_> = classes.into_iter().collect();
        let numbers = Numbers::new(&classes);
        if split == Split::Test {
            lists = vec![list("test")?];
        }
        let mut photos = Listed::new(&root, &classes, &hint);
        for lines in &lists {
            for (line, text) in lines.iter() {
                let label = numbers.of(class(lines, line, text)?, lines, line, "training")?;
                photos.add_line(lines, line, &format!("images/{text}"), label)?;
            }
        }
        photos.samples(&lists[lists.len() - 1].path)
    }

    fn source(&self) -> Source {
        Source {
            downloads: vec![PLACE.download(
                "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/",
                625_239_812,
                "fff73e5086ae6bdbea199a49dfb8a4c1",
                800_000_000,
            )],
            page: "https://www.robots.ox.ac.uk/~vgg/data/dtd/".into(),
            terms: "for research".into(),
            ..PLACE.source(&self.root)
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        for (list, from, count) in [("train", 0, 6), ("val", 6, 4), ("test", 10, 2)] {
            let mut lines = String::new();
            for (class, name) in ["banded", "polka-dotted"].into_iter().enumerate() {
                for photo in from..from + count {
                    let name = format!("{name}/{name}_{photo:04}.jpg");
                    write_photo(&folder.join("images").join(&name), class, photo)?;
                    lines += &(name + "\n");
                }
            }
            write(&folder.join(format!("labels/{list}1.txt")), lines.as_bytes())?;
        }
        Ok(root_option(folder))
    }
}

/// The class of a line: the folder that the photo lies in.
fn class<'a>(lines: &Lines, line: usize, text: &'a str) -> Result<&'a str> {
    let class = text.split_once('/').map(|(class, _)| class);
    class.ok_or_else(|| {
        lines.wrong(
            line,
            format!("`{text}` is not a class and a photo such as dotted/dotted_0001.jpg"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(folder: &Path) -> Dtd {
        Dtd::default().example(folder).unwrap();
        Dtd {
            root: folder.into(),
            ..Dtd::default()
        }
    }

    #[test]
    fn a_partition_has_lists_for_training_validation_and_test() {
        let folder = tempfile::tempdir().unwrap();
        let mut dataset = example(folder.path());
        let (both, test) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
        dataset.train = TrainingLists::Train;
        assert_eq!(
            (both.len(), dataset.open(Split::Train).unwrap().len(), test.len()),
            (20, 12, 4)
        );
        assert_eq!(both.class_names(), ["banded", "polka-dotted"]);
        assert_eq!(
            (both.label(11), both.label(12), both.label(19), test.label(1)),
            (1, 0, 1, 0)
        );
        let path = folder.path().join("images/polka-dotted/polka-dotted_0011.jpg");
        assert_eq!(test.path(3), Some(path));
        dataset.partition = 2;
        let error = dataset.open(Split::Train).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.contains("labels/train2.txt: there is no such file; unpack `dtd-r1.0.1.tar.gz` again"),
            "{error}"
        );
        dataset.partition = 11;
        assert!(
            dataset
                .validate()
                .unwrap_err()
                .to_string()
                .contains("11 is not one of the partitions 1 to 10")
        );
    }

    #[test]
    fn lists_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let cases = [
            (
                "banded_0010.jpg\n",
                "line 1: `banded_0010.jpg` is not a class and a photo",
            ),
            (
                "dotted/dotted_0010.jpg\n",
                "line 1: the class `dotted` is not among the 2 of training",
            ),
            (
                "banded/banded_0099.jpg\n",
                "line 1: `banded_0099.jpg` is not a photo in `images/banded`",
            ),
            (
                "banded/../banded/banded_0010.jpg\n",
                "banded_0010.jpg` is not a path in this dataset",
            ),
            ("", "test1.txt: is empty"),
        ];
        for (text, expected) in cases {
            std::fs::write(folder.path().join("labels/test1.txt"), text).unwrap();
            let error = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
