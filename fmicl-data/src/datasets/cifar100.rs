//! `cifar100`: the official layouts of CIFAR-100, binary and Python's.
//!
//! Two files of records: a byte of the coarse label, one of the fine label, then a red, a green and a blue plane of
//! 32 x 32 bytes. Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009,
//! <https://www.cs.toronto.edu/~kriz/cifar.html>.

use super::cifar::Records;
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// CIFAR-100 from `train.bin` and `test.bin`, 50,000 and 10,000 images, or from the pickles `train` and `test` in
/// `cifar-100-python`, which torchvision downloads: the same images in the same order.
///
/// Files with fewer images than the official ones are read too, as long as they are whole records.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cifar100 {
    /// The folder `cifar-100-binary` or `cifar-100-python`, or the one that it lies in: the data folder (`$FMICL_DATA`, else
    /// `data`) unless given. Relative to the working directory.
    pub root: PathBuf,
    /// Labels: the 100 `fine` classes, or the 20 `coarse` ones that they belong to.
    pub labels: Labels,
}

/// Which of an image's two labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// 20 superclasses, such as flowers.
    Coarse,
    /// 100 classes, such as orchids.
    Fine,
}

impl Default for Cifar100 {
    fn default() -> Self {
        Cifar100 {
            root: data_folder(),
            labels: Labels::Fine,
        }
    }
}

register!(
    Dataset,
    "cifar100",
    Cifar100,
    "CIFAR-100 in its official layouts, binary or Python's"
);

const RECORDS: Records = Records {
    place: Place {
        folder: "cifar-100-binary",
        marker: "train.bin",
        archive: "cifar-100-binary.tar.gz",
        remedy: "run `fmicl data fetch cifar100`",
    },
    python: Place {
        folder: "cifar-100-python",
        marker: "meta",
        archive: "cifar-100-python.tar.gz",
        remedy: "run `fmicl data fetch cifar100`",
    },
    classes: &[20, 100],
    names: &["coarse_label_names.txt", "fine_label_names.txt"],
    keys: &[
        ("coarse_labels", "coarse_label_names"),
        ("fine_labels", "fine_label_names"),
    ],
    meta: "meta",
};

impl Dataset for Cifar100 {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let name = match split {
            Split::Test => "test",
            Split::Train | Split::Pretrain => "train",
        };
        let label = match self.labels {
            Labels::Coarse => 0,
            Labels::Fine => 1,
        };
        RECORDS.open(&self.root, &[name], label)
    }

    fn source(&self) -> Source {
        RECORDS.source(&self.root, (168_513_733, "03b5dce01913d631647c71ecec9e9cb8"))
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        RECORDS.example(folder, &["train", "test"], 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_fine_or_coarse() {
        let folder = tempfile::tempdir().unwrap();
        Cifar100::default().example(folder.path()).unwrap();
        // A record of its own: coarse 19, fine 99.
        let path = folder.path().join("test.bin");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[..2].copy_from_slice(&[19, 99]);
        std::fs::write(&path, &bytes).unwrap();
        for (labels, classes, label) in [(Labels::Fine, 100, 99), (Labels::Coarse, 20, 19)] {
            let root = folder.path().into();
            let samples = Cifar100 { root, labels }.open(Split::Test).unwrap();
            assert_eq!(
                (samples.classes(), samples.label(0), samples.len()),
                (classes, label, 20)
            );
            assert_eq!(
                samples.image(1).unwrap().pixels[..3],
                [1, (1 + 1024) % 251, (1 + 2048) % 251].map(|p: i32| p as u8)
            );
        }
        // The official archive brings their names; a file with another number of them names nothing.
        let names: String = (0..20).map(|class| format!("c{class}\n")).collect();
        std::fs::write(folder.path().join("coarse_label_names.txt"), names + "\n").unwrap();
        std::fs::write(folder.path().join("fine_label_names.txt"), "apple\n").unwrap();
        let names = |labels| {
            let root = folder.path().into();
            Cifar100 { root, labels }.open(Split::Test).unwrap().class_names()
        };
        assert_eq!(
            (names(Labels::Coarse).len(), names(Labels::Coarse)[19].as_str()),
            (20, "c19")
        );
        assert!(names(Labels::Fine).is_empty());
        bytes[0] = 20;
        std::fs::write(&path, &bytes).unwrap();
        let dataset = Cifar100 {
            root: folder.path().into(),
            ..Default::default()
        };
        let error = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.contains("test.bin: image 0 has the label 20; labels run from 0 to 19"),
            "{error}"
        );
    }
}
