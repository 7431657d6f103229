//! `mnist`: handwritten digits of 28 x 28 pixels.
//!
//! Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998. Addresses and
//! checksums are torchvision's (`torchvision/datasets/mnist.py`); the authors' own server no longer serves the files.

use super::idx::Idx;
use super::place::data_folder;
use super::published::PublishedIdx;
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// MNIST from its four files, gzipped or not: 60,000 training and 10,000 test images.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mnist {
    /// The folder that holds the files, or the one that such a folder `mnist` (or torchvision's) lies in: the data
    /// folder (`$FMICL_DATA`, else `data`) unless given. Relative to the working directory.
    pub root: PathBuf,
}

impl Default for Mnist {
    fn default() -> Self {
        Mnist { root: data_folder() }
    }
}

register!(Dataset, "mnist", Mnist, "MNIST: handwritten digits of 28x28 pixels");

const PUBLISHED: PublishedIdx = PublishedIdx {
    name: "mnist",
    torchvision: "MNIST/raw",
    package: None,
    base: "https://ossci-datasets.s3.amazonaws.com/mnist/",
    files: [
        (9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        (28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
        (1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
        (4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
    ],
    class_names: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    page: "http://yann.lecun.com/exdb/mnist/",
    terms: "CC BY-SA 3.0, as Keras states; its page states none",
};

impl Dataset for Mnist {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        PUBLISHED.open(&self.root, split)
    }

    fn source(&self) -> Source {
        PUBLISHED.source(&self.root)
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        Idx::default().example(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(root: &Path) -> Result<usize> {
        let dataset = Mnist { root: root.into() };
        dataset.open(Split::Test).map(|samples| samples.len())
    }

    #[test]
    fn the_files_are_found_in_its_own_folder_in_torchvisions_or_in_the_root() {
        let root = tempfile::tempdir().unwrap();
        let error = count(root.path()).unwrap_err().to_string();
        assert!(error.contains("a folder `mnist` with them; set `root`"), "{error}");
        for folder in ["", "MNIST/raw", "mnist"] {
            Idx::default().example(&root.path().join(folder)).unwrap();
            assert_eq!(count(root.path()).unwrap(), 10);
        }
        // The first of them is read, and what it lacks is named.
        std::fs::remove_file(root.path().join("mnist/t10k-labels-idx1-ubyte")).unwrap();
        let error = count(root.path()).unwrap_err().to_string();
        assert!(
            error.contains("mnist/t10k-labels-idx1-ubyte: there is no such file"),
            "{error}"
        );
    }

    #[test]
    fn what_is_fetched_is_what_is_read_first() {
        let source = Mnist { root: "d".into() }.source();
        assert_eq!(source.looks_in[0], source.folder);
        let names: Vec<_> = source.downloads.iter().map(|download| download.file_name()).collect();
        assert_eq!(names[0], "train-images-idx3-ubyte.gz");
        assert_eq!(names.len(), 4);
    }
}
