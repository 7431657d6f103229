//! `cifar10`: the official layouts of CIFAR-10, binary and Python's.
//!
//! Six files of records: one byte of label, then a red, a green and a blue plane of 32 x 32 bytes. Source: Krizhevsky,
//! "Learning multiple layers of features from tiny images", 2009, <https://www.cs.toronto.edu/~kriz/cifar.html>.

use super::cifar::Records;
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// CIFAR-10 from `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, or from the pickles `data_batch_1` to `test_batch` in
/// `cifar-10-batches-py`, which torchvision downloads: the same images in the same order.
///
/// Files with fewer images than the official 10,000 are read too, as long as they are whole records.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cifar10 {
    /// The folder `cifar-10-batches-bin` or `cifar-10-batches-py`, or the one that it lies in: the data folder (`$FMICL_DATA`,
    /// else `data`) unless given. Relative to the working directory.
    pub root: PathBuf,
}

impl Default for Cifar10 {
    fn default() -> Self {
        Cifar10 { root: data_folder() }
    }
}

register!(
    Dataset,
    "cifar10",
    Cifar10,
    "CIFAR-10 in its official layouts, binary or Python's"
);

const RECORDS: Records = Records {
    place: Place {
        folder: "cifar-10-batches-bin",
        marker: "data_batch_1.bin",
        archive: "cifar-10-binary.tar.gz",
        remedy: "run `fmicl data fetch cifar10`",
    },
    python: Place {
        folder: "cifar-10-batches-py",
        marker: "data_batch_1",
        archive: "cifar-10-python.tar.gz",
        remedy: "run `fmicl data fetch cifar10`",
    },
    classes: &[10],
    names: &["batches.meta.txt"],
    keys: &[("labels", "label_names")],
    meta: "batches.meta",
};
const TRAIN: [&str; 5] = [
    "data_batch_1",
    "data_batch_2",
    "data_batch_3",
    "data_batch_4",
    "data_batch_5",
];
const TEST: [&str; 1] = ["test_batch"];

impl Dataset for Cifar10 {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let names: &[&str] = if split == Split::Test { &TEST } else { &TRAIN };
        RECORDS.open(&self.root, names, 0)
    }

    fn source(&self) -> Source {
        RECORDS.source(&self.root, (170_052_171, "c32a1d4ab5d03f1284b67883e8d87530"))
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        RECORDS.example(folder, &[TRAIN.as_slice(), &TEST].concat(), 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_dataset;

    /// The example: 10 images a file; pixel `p` of image `i` is `(i + p) % 251`.
    fn example(folder: &Path) -> Cifar10 {
        Cifar10::default().example(folder).unwrap();
        Cifar10 { root: folder.into() }
    }

    fn error(dataset: &Cifar10) -> String {
        dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn planes_become_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let train = example(folder.path()).open(Split::Pretrain).unwrap();
        check_dataset(&*train);
        assert_eq!((train.len(), train.classes(), train.label(13)), (50, 10, 3));
        let pixels = train.image(3).unwrap().pixels;
        assert_eq!(
            pixels[..6],
            [3, (3 + 1024) % 251, (3 + 2048) % 251, 4, 1028 % 251, 2052 % 251].map(|p: i32| p as u8)
        );
    }

    #[test]
    fn the_parent_folder_will_do() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("cifar-10-batches-bin");
        example(&inner);
        let dataset = Cifar10 {
            root: folder.path().into(),
        };
        assert_eq!(dataset.open(Split::Test).unwrap().len(), 10);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let path = folder.path().join("test_batch.bin");
        let mut bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..5000]).unwrap();
        assert!(error(&dataset).contains("test_batch.bin: 5000 bytes are not whole records of 3073"));
        bytes[3073] = 10;
        std::fs::write(&path, &bytes).unwrap();
        assert!(error(&dataset).contains("image 1 has the label 10"));
        std::fs::remove_file(&path).unwrap();
        assert!(error(&dataset).contains("there is no such file; unpack `cifar-10-binary.tar.gz` again"));
    }
}
