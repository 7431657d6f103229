//! Location and origin of the datasets in MNIST's format.

use super::idx::Idx;
use super::place::data_folder;
use fmicl_core::{Checksum, Download, Error, Result, Samples, Source, Split};
use std::path::{Path, PathBuf};

/// A dataset of MNIST's four files.
pub(super) struct PublishedIdx {
    /// The registered name, and the folder in the data folder.
    pub name: &'static str,
    /// The folder in which torchvision keeps it.
    pub torchvision: &'static str,
    /// Folder in which a system package installs it.
    pub package: Option<&'static str>,
    /// The address that the files lie below.
    pub base: &'static str,
    /// The bytes and the MD5 of each file, in the order of `FILES`.
    pub files: [(u64, &'static str); 4],
    /// The names of the ten classes.
    pub class_names: [&'static str; 10],
    pub page: &'static str,
    pub terms: &'static str,
}

const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

impl PublishedIdx {
    pub fn open(&self, root: &Path, split: Split) -> Result<Box<dyn Samples>> {
        let folders = self.looks_in(root);
        let found = folders.iter().find(|folder| is_there(folder));
        let Some(found) = found else {
            let message = format!(
                "holds neither MNIST's four files nor a folder `{0}` with them; set `root` to one of them, or run \
                 `fmicl data fetch {0}`",
                self.name
            );
            return Err(Error::data(root, message));
        };
        let mut samples = Idx { root: found.clone() }.open_split(split)?;
        samples.class_names = self.class_names.map(str::to_string).into();
        Ok(Box::new(samples))
    }

    pub fn source(&self, root: &Path) -> Source {
        let download = |(file, (bytes, md5)): (&str, (u64, &str))| Download {
            url: format!("{}{file}.gz", self.base),
            bytes: Some(bytes),
            checksum: Some(Checksum::Md5(md5.into())),
            unpack: None,
        };
        Source {
            looks_in: self.looks_in(root),
            folder: root.join(self.name),
            downloads: FILES.into_iter().zip(self.files).map(download).collect(),
            page: self.page.into(),
            terms: self.terms.into(),
            ..Source::default()
        }
    }

    /// A package's folder only where no other root is asked for.
    fn looks_in(&self, root: &Path) -> Vec<PathBuf> {
        let package = self.package.filter(|_| root == data_folder());
        let folders = [root.join(self.name), root.join(self.torchvision), root.into()];
        folders.into_iter().chain(package.map(PathBuf::from)).collect()
    }
}

/// Any of the files, so that it is the one that lacks which is named.
fn is_there(folder: &Path) -> bool {
    FILES
        .iter()
        .any(|file| folder.join(file).exists() || folder.join(format!("{file}.gz")).exists())
}
