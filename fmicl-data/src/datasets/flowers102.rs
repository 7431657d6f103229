//! `flowers102`: Oxford 102 Flowers.
//!
//! Source: Nilsback, Zisserman, "Automated flower classification over a large number of classes", ICVGIP 2008,
//! <https://www.robots.ox.ac.uk/~vgg/data/flowers/102/>.

use super::download::{archive, file};
use super::files::root_option;
use super::listed::Listed;
use super::mat::{Mat, Value, write_mat};
use super::photos::write_photo;
use super::place::{Place, data_folder};
use super::training_lists::TrainingLists;
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Oxford 102 Flowers from `jpg/`, `imagelabels.mat` and `setid.mat`: 2,040 training images (`trnid` and `valid`, 1,020 each) and
/// 6,149 test images (`tstid`). Papers report the mean accuracy per class, `balanced` (Kornblith et al., CVPR 2019).
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flowers102 {
    /// The folder that holds `jpg`, or the one that such a folder `flowers-102` lies in: the data folder (`$FMICL_DATA`, else
    /// `data`) unless given. Relative to the working directory.
    pub root: PathBuf,
    /// Lists that make the training split: `train-val`, as results are reported, or `train` alone.
    pub train: TrainingLists,
}

impl Default for Flowers102 {
    fn default() -> Self {
        Flowers102 {
            root: data_folder(),
            train: TrainingLists::default(),
        }
    }
}

register!(
    Dataset,
    "flowers102",
    Flowers102,
    "Oxford 102 Flowers in its official layout and splits"
);

const PLACE: Place = Place {
    folder: "flowers-102",
    marker: "jpg",
    archive: "102flowers.tgz",
    remedy: "run `fmicl data fetch flowers102`",
};
const HINT: &str = "unpack `102flowers.tgz` again, with `imagelabels.mat` and `setid.mat` beside its folder `jpg`, or run `fmicl data fetch \
                    flowers102`";
const BASE: &str = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/";
/// More than its lists have.
const MOST: u64 = 16 << 20;

impl Dataset for Flowers102 {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let root = PLACE.find(&self.root)?;
        let mut file = Mat::read(&root.join("imagelabels.mat"), &["labels"], MOST, HINT)?;
        let labels = file.indices("labels")?;
        let numbers: BTreeSet<_> = labels.iter().copied().collect();
        let count = numbers.len();
        if let Some(last) = numbers.last().filter(|&&last| last != count) {
            return Err(file.wrong(format!("{last} is a label, and not all from 1 are; {HINT}")));
        }
        let lists: &[&str] = match (split, self.train) {
            (Split::Test, _) => &["tstid"],
            (_, TrainingLists::TrainVal) => &["trnid", "valid"],
            (_, TrainingLists::Train) => &["trnid"],
        };
        let path = root.join("setid.mat");
        let mut ids = Mat::read(&path, lists, MOST, HINT)?;
        // Its names are in none of its files.
        let classes: Vec<OsString> = (1..=count).map(|class| class.to_string().into()).collect();
        let mut photos = Listed::new(&root, &classes, HINT);
        for list in lists {
            for id in ids.indices(list)? {
                let label = labels.get(id - 1);
                let label = label.ok_or_else(|| ids.wrong(format!("`{list}`: image {id} has no label; {HINT}")))?;
                photos.add(
                    &path,
                    format_args!("`{list}`"),
                    &format!("jpg/image_{id:05}.jpg"),
                    label - 1,
                )?;
            }
        }
        photos.samples(&path)
    }

    fn source(&self) -> Source {
        let at = |name: &str| format!("{BASE}{name}");
        Source {
            folder: self.root.join(PLACE.folder),
            downloads: vec![
                archive(
                    &at("102flowers.tgz"),
                    Some(344_862_509),
                    "52808999861908f626f3c1f4e79d11fa",
                    "jpg",
                    400_000_000,
                ),
                file(&at("imagelabels.mat"), Some(502), "e0620be6f572b9609742df49c70aed4d"),
                file(&at("setid.mat"), Some(14_989), "a5357ecc9cb78c4bef273ce3793fc85c"),
            ],
            page: BASE.into(),
            terms: "no licence stated; cite Nilsback and Zisserman, 2008".into(),
            ..PLACE.source(&self.root)
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let label = |id: usize| (id * 5 % 3 + 1) as u8;
        for id in 1..=24 {
            write_photo(&folder.join(format!("jpg/image_{id:05}.jpg")), label(id).into(), id)?;
        }
        let bytes = |bytes: Vec<u8>| Value::Bytes {
            shape: vec![1, bytes.len()],
            bytes,
        };
        let labels = bytes((1..=24).map(label).collect());
        write_mat(&folder.join("imagelabels.mat"), &[("labels", labels)])?;
        let ids = |from, to| bytes((from..=to).rev().collect());
        let lists = [("trnid", ids(9, 20)), ("valid", ids(21, 24)), ("tstid", ids(1, 8))];
        write_mat(&folder.join("setid.mat"), &lists)?;
        Ok(root_option(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(folder: &Path, train: TrainingLists) -> Flowers102 {
        Flowers102::default().example(folder).unwrap();
        let root = folder.into();
        Flowers102 { root, train }
    }

    #[test]
    fn lists_of_ids_make_the_splits_and_labels_count_from_1() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path(), TrainingLists::TrainVal);
        let (both, test) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
        let train = example(folder.path(), TrainingLists::Train).open(Split::Train).unwrap();
        assert_eq!((both.len(), train.len(), test.len(), both.classes()), (16, 12, 8, 3));
        let at = |samples: &dyn Samples, index| (samples.path(index).unwrap(), samples.label(index));
        let jpg = |name: &str| folder.path().join("jpg").join(name);
        assert_eq!(at(&*train, 0), (jpg("image_00020.jpg"), 1));
        assert_eq!(at(&*both, 15), (jpg("image_00021.jpg"), 0));
        assert_eq!(at(&*test, 1), (jpg("image_00007.jpg"), 2));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path(), TrainingLists::TrainVal);
        let error = || dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
        let lists = |ids: &[f64]| {
            let lists = [("tstid", Value::Numbers(ids.to_vec()))];
            write_mat(&folder.path().join("setid.mat"), &lists).unwrap();
        };
        lists(&[25.0]);
        assert!(error().contains("setid.mat: `tstid`: image 25 has no label; unpack `102flowers.tgz` again"));
        lists(&[1.5]);
        assert!(error().contains("setid.mat: its `tstid` is not an array of whole numbers from 1"));
        lists(&[2.0, 2.0]);
        assert!(error().contains("`tstid`: `image_00002.jpg` is not a photo in `jpg`, or has been named before"));
        lists(&[]);
        assert!(error().contains("setid.mat: is empty"));
        let labels = Value::Numbers(vec![1.0, 4.0, 2.0]);
        write_mat(&folder.path().join("imagelabels.mat"), &[("labels", labels)]).unwrap();
        assert!(error().contains("imagelabels.mat: 4 is a label, and not all from 1 are"));
        write_mat(&folder.path().join("imagelabels.mat"), &[]).unwrap();
        assert!(error().contains("imagelabels.mat: holds no `labels`"));
        std::fs::remove_file(folder.path().join("imagelabels.mat")).unwrap();
        assert!(error().contains("imagelabels.mat: there is no such file; unpack"));
    }
}
