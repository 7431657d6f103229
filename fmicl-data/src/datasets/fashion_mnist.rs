//! `fashion-mnist`: articles of clothing, 28 x 28 pixels.
//!
//! Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017,
//! <https://github.com/zalandoresearch/fashion-mnist>, whose addresses and checksums these are.

use super::idx::Idx;
use super::place::data_folder;
use super::published::PublishedIdx;
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Fashion-MNIST from its four files, gzipped or not: 60,000 training and 10,000 test images. Debian's package
/// `dataset-fashion-mnist` is found too.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FashionMnist {
    /// The folder that holds the files, or the one that such a folder `fashion-mnist` (or torchvision's) lies in: the data
    /// folder (`$FMICL_DATA`, else `data`) unless given. Relative to the working directory.
    pub root: PathBuf,
}

impl Default for FashionMnist {
    fn default() -> Self {
        FashionMnist { root: data_folder() }
    }
}

register!(
    Dataset,
    "fashion-mnist",
    FashionMnist,
    "Fashion-MNIST: articles of clothing, 28x28 pixels"
);

const PUBLISHED: PublishedIdx = PublishedIdx {
    name: "fashion-mnist",
    torchvision: "FashionMNIST/raw",
    package: Some("/usr/share/datasets/fashion-mnist"),
    base: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    files: [
        (26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        (29_515, "25c81989df183df01b3e8a0aad5dffbe"),
        (4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
        (5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
    ],
    class_names: [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
    page: "https://github.com/zalandoresearch/fashion-mnist",
    terms: "MIT",
};

impl Dataset for FashionMnist {
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
