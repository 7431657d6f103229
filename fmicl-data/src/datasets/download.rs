//! Files with a published address and MD5.

use fmicl_core::{Archive, Checksum, Download, Format};

/// A file that is kept as it is. `bytes` is `None` where its size is not known.
pub(super) fn file(url: &str, bytes: Option<u64>, md5: &str) -> Download {
    Download {
        url: url.into(),
        bytes,
        checksum: Some(Checksum::Md5(md5.into())),
        unpack: None,
    }
}

/// An archive, of which the folder `makes` is kept; it unpacks to less than `at_most` bytes.
pub(super) fn archive(url: &str, bytes: Option<u64>, md5: &str, makes: &str, at_most: u64) -> Download {
    let zip = url.ends_with(".zip");
    Download {
        unpack: Some(Archive {
            format: if zip { Format::Zip } else { Format::TarGz },
            makes: makes.into(),
            at_most,
        }),
        ..file(url, bytes, md5)
    }
}
