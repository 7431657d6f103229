//! Location and origin of a dataset's files.

use std::path::PathBuf;

/// Source of a dataset, for `fmicl data info` and `fmicl data fetch`: folders, published files, terms.
///
/// The dataset declares it ([`crate::Dataset::source`]), so a dataset of any crate can be fetched. The default, which
/// is empty, is for a dataset without files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The folders in which the reader looks, in this order.
    pub looks_in: Vec<PathBuf>,
    /// The folder into which [`Source::downloads`] are put or unpacked, so that the reader finds them. `fmicl data
    /// fetch NAME --to DIR` works if the option `root` sets it, as it should.
    pub folder: PathBuf,
    /// Files to fetch; empty if none can be fetched.
    pub downloads: Vec<Download>,
    /// The page that describes the dataset.
    pub page: String,
    /// The licence or the terms of use, as its authors state them.
    pub terms: String,
    /// Instructions for a dataset that cannot be fetched: the place to register, and the expected layout.
    pub by_hand: String,
}

/// A file that can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// The official address; the last part of its path is the file's name.
    pub url: String,
    /// The file's size in bytes; `None` where it is not known.
    pub bytes: Option<u64>,
    /// Published checksum; `None` if there is none.
    pub checksum: Option<Checksum>,
    /// Archive format; `None` keeps the file as it is.
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

/// Format and limits of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Format of the archive.
    pub format: Format,
    /// The folder at its top that is kept.
    pub makes: String,
    /// Maximum unpacked size in bytes, rounded up: larger archives are refused, and as much free disk space is
    /// required.
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
