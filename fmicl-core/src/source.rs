//! Where a dataset's files lie and where they come from.

use std::path::PathBuf;

/// What `fmicl data` says of a dataset and fetches: the folders, the files that its authors publish, their terms.
///
/// The dataset itself declares it ([`crate::Dataset::source`]), so there is no second list, and a dataset of any crate
/// can be fetched. The default, with nothing in it, is for one that reads no files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The folders in which the reader looks, in this order.
    pub looks_in: Vec<PathBuf>,
    /// The folder into which [`Source::downloads`] are put or unpacked, so that the reader finds them. Where it is the
    /// option `root`, as it should be, `fmicl data fetch NAME --to DIR` works.
    pub folder: PathBuf,
    /// All that has to be fetched; empty where nothing can be.
    pub downloads: Vec<Download>,
    /// The page that describes the dataset.
    pub page: String,
    /// The licence or the terms of use, as its authors state them.
    pub terms: String,
    /// How to come by it where it cannot be fetched: where to register, and which layout is read.
    pub by_hand: String,
}

/// A file that can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// The official address; the last part of its path is the file's name.
    pub url: String,
    /// The file's size in bytes; `None` where it is not known.
    pub bytes: Option<u64>,
    /// As published; `None` where none is.
    pub checksum: Option<Checksum>,
    /// How to unpack it; `None` keeps the file as it is.
    pub unpack: Option<Archive>,
}

impl Download {
    /// The file's name: the last part of the address' path.
    pub fn file_name(&self) -> &str {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }
}

/// A published checksum, in hexadecimal digits of either case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// Against a broken transfer, not against malice.
    Md5(String),
    /// SHA-256.
    Sha256(String),
}

impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Checksum::Md5(digits) => write!(f, "MD5 {digits}"),
            Checksum::Sha256(digits) => write!(f, "SHA-256 {digits}"),
        }
    }
}

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// How it is packed.
    pub format: Format,
    /// The folder at its top that is kept.
    pub makes: String,
    /// How many bytes it may unpack to, rounded up: one with more is refused, and as many must be free on the disk.
    pub at_most: u64,
}

/// The formats that are unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A gzipped tar archive.
    TarGz,
    /// A zip archive, its entries stored or deflated.
    Zip,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_last_part_of_the_path() {
        let named = |url: &str| {
            let download = Download {
                url: url.into(),
                bytes: None,
                checksum: None,
                unpack: None,
            };
            download.file_name().to_string()
        };
        assert_eq!(named("https://a.org/b/c.tar.gz"), "c.tar.gz");
        assert_eq!(named("https://a.org/b/c.zip?download=1/2#x/y"), "c.zip");
    }
}
