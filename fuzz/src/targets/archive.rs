//! Archives, as `fmicl data fetch` unpacks them.

use crate::Target;
use flate2::Compression;
use flate2::write::GzEncoder;
use fmicl_core::{Archive, Download, Format, Source};
use fmicl_fetch::{Fetch, fetch};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What the archive may unpack to.
const MOST: u64 = 100_000;

/// A tar archive, which is gzipped here unless it is already: with a checksum behind it no change would get far.
pub(super) fn tar() -> Target {
    let entries = [
        ("letters/", &b""[..]),
        ("letters/a", b"abc"),
        ("letters/b/c", &[7; 600]),
    ];
    let mut plain = tar::Builder::new(Vec::new());
    let mut long = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        append(&mut plain, name, content);
        append(&mut long, &format!("letters/{}{name}", "long/".repeat(30)), content);
    }
    let pax = [("path", &b"letters/renamed"[..]), ("comment", b"none")];
    done(long.append_pax_extensions(pax));
    append(&mut long, "letters/d", b"d");
    let seeds = vec![done(plain.into_inner()), done(long.into_inner())];
    target("tar", Format::TarGz, seeds, |input| match input {
        [0x1f, 0x8b, ..] => input.to_vec(),
        _ => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
            done(gzip.write_all(input));
            done(gzip.finish())
        }
    })
}

fn append(tar: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    let kind = if name.ends_with('/') {
        tar::EntryType::Directory
    } else {
        tar::EntryType::Regular
    };
    header.set_entry_type(kind);
    done(tar.append_data(&mut header, name, content));
}

/// A zip archive.
pub(super) fn zip() -> Target {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, method) in [
        ("letters/a", zip::CompressionMethod::Stored),
        ("letters/b/c", zip::CompressionMethod::Deflated),
    ] {
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        done(zip.start_file(name, options));
        done(zip.write_all(&[7; 300]));
    }
    done(zip.add_directory("letters/d", zip::write::SimpleFileOptions::default()));
    target(
        "zip",
        Format::Zip,
        vec![done(zip.finish()).into_inner()],
        <[u8]>::to_vec,
    )
}

fn done<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// An archive makes its folder, whole and not too large, or nothing; and never anything beside it.
fn target(name: &str, format: Format, seeds: Vec<Vec<u8>>, pack: fn(&[u8]) -> Vec<u8>) -> Target {
    let outer = TempDir::new().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
    let file = outer.path().join("letters.archive");
    let source = Source {
        folder: outer.path().join("data/inner"),
        downloads: vec![Download {
            url: "http://localhost/letters.archive".into(),
            bytes: None,
            checksum: None,
            unpack: Some(Archive {
                format,
                makes: "letters".into(),
                at_most: MOST,
            }),
        }],
        ..Source::default()
    };
    let options = Fetch {
        from: Some(file.display().to_string()),
        ..Fetch::default()
    };
    Target::new(name, seeds, move |input| {
        done(std::fs::write(&file, pack(input)));
        let fetched = fetch(&source, &options, |_| {});
        let names = |folder: &Path| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let mut names: Vec<_> = entries
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        };
        let inner = names(&source.folder);
        match &fetched {
            Ok(paths) => {
                assert_eq!(
                    (paths.as_slice(), &inner[..]),
                    (&[source.folder.join("letters")][..], &["letters".to_string()][..])
                );
                assert!(size(&source.folder) <= MOST, "it unpacked to more than it may");
            }
            Err(error) => {
                let error = error.to_string();
                assert!(inner.is_empty() && !error.contains('\n'), "{inner:?}: {error}");
            }
        }
        assert!(
            names(outer.path())
                .iter()
                .all(|name| name == "data" || name == "letters.archive"),
            "it wrote beside its folder"
        );
        assert!(
            names(&outer.path().join("data")).iter().all(|name| name == "inner"),
            "it wrote beside its folder"
        );
        if fetched.is_ok() {
            done(std::fs::remove_dir_all(outer.path().join("data")));
        }
    })
}

/// The bytes of all files below a folder; there are no links.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| entry.path()).map(|path: PathBuf| {
        let meta = done(path.symlink_metadata());
        assert!(
            meta.is_dir() || meta.is_file(),
            "{} is a link or a device",
            path.display()
        );
        if meta.is_dir() { size(&path) } else { meta.len() }
    });
    sizes.sum()
}
