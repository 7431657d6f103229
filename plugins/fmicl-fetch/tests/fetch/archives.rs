//! Archives that are unpacked, and archives that are refused.

use crate::common::*;
use fmicl_core::{Format, Source};
use std::path::Path;
use tar::EntryType::{self, Directory, Regular};

/// Serves `body` once as an archive of this format, for a data folder in `outer`.
fn served(format: Format, body: Vec<u8>, outer: &Path) -> Source {
    let server = Server::resuming(body.clone(), 0);
    let name = if format == Format::Zip {
        "letters.zip"
    } else {
        "letters.tar.gz"
    };
    source(&server.url, name, &body, Some(archive(format)), &outer.join("data"))
}

/// The error; nothing is left of the archive, and nothing was written beside the folder.
fn refused(format: Format, body: Vec<u8>) -> String {
    let outer = tempfile::tempdir().unwrap();
    let error = error(&served(format, body, outer.path()));
    assert!(
        names(&outer.path().join("data")).is_empty(),
        "{:?}",
        names(&outer.path().join("data"))
    );
    assert!(
        names(outer.path()).iter().all(|name| name == "data"),
        "{:?}",
        names(outer.path())
    );
    error
}

#[test]
fn archives_unpack_into_their_folder_and_are_removed() {
    let a = bytes(20_000);
    let tar = tar_gz(&[
        ("./letters/", Directory, b""),
        ("letters/a.bin", Regular, &a),
        ("letters/deep/er/b.bin", Regular, b"b"),
        // What macOS adds; it is not kept.
        ("._letters", Regular, b"attributes"),
    ]);
    let zip = zip(&[
        ("letters/", Some(b"")),
        ("letters/a.bin", Some(&a)),
        ("letters/deep/er/b.bin", Some(b"b")),
    ]);
    for (format, body) in [(Format::TarGz, tar), (Format::Zip, zip)] {
        let outer = tempfile::tempdir().unwrap();
        let source = served(format, body, outer.path());
        let data = outer.path().join("data");
        // What an earlier run left.
        std::fs::create_dir_all(data.join("letters.partial/letters")).unwrap();
        std::fs::write(data.join("letters.partial/letters/a.bin"), "half").unwrap();
        let (fetched, notes) = run(&source);
        assert_eq!(fetched.unwrap(), [data.join("letters")]);
        assert_eq!(notes.last().unwrap(), "unpacking");
        assert_eq!(std::fs::read(data.join("letters/a.bin")).unwrap(), a);
        assert_eq!(std::fs::read(data.join("letters/deep/er/b.bin")).unwrap(), b"b");
        assert_eq!(names(&data), ["letters"]);
        assert!(run(&source).0.unwrap().is_empty());
    }
}

#[test]
fn entries_that_lead_out_of_the_folder_are_refused() {
    for name in ["../evil", "letters/../../evil", "/tmp/fmicl-evil"] {
        let expected = format!("its entry {name:?} leads out of the folder: it was not unpacked");
        let inside: Entry = ("letters/a", Regular, b"a");
        let error = refused(Format::TarGz, tar_gz(&[inside, (name, Regular, b"evil")]));
        assert!(error.ends_with(&expected), "{error}");
        let error = refused(Format::TarGz, tar_gz(&[inside, (name, Directory, b"")]));
        assert!(error.ends_with(&expected), "{error}");
        let error = refused(Format::Zip, zip(&[("letters/a", Some(b"a")), (name, Some(b"evil"))]));
        assert!(error.ends_with(&expected), "{error}");
    }
    assert!(!Path::new("/tmp/fmicl-evil").exists());
}

#[test]
fn links_and_devices_are_refused() {
    let expected = "its entry \"letters/x\" is a link or a device: it was not unpacked";
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
    ] {
        let error = refused(
            Format::TarGz,
            tar_gz(&[("letters/x", kind, b""), ("letters/x/a", Regular, b"a")]),
        );
        assert!(error.ends_with(expected), "{kind:?}: {error}");
    }
    let error = refused(Format::Zip, zip(&[("letters/x", None), ("letters/x/a", Some(b"a"))]));
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn a_name_is_written_once() {
    let entry: Entry = ("letters/a", Regular, b"a");
    let error = refused(Format::TarGz, tar_gz(&[entry, entry]));
    assert!(
        error.ends_with("its entry \"letters/a\" is in it twice: it was not unpacked"),
        "{error}"
    );
}

#[test]
fn bombs_are_refused() {
    let expected = "unpacks to more than 100.0 kB, the most that it should: it was not unpacked";
    let zeros = vec![0; 50_000_000];
    let tar = tar_gz(&[("letters/zeros", Regular, &zeros)]);
    assert!(tar.len() < 1_000_000);
    let names: Vec<String> = (0..300).map(|index| format!("letters/{index}")).collect();
    let many: Vec<Entry> = names.iter().map(|name| (&**name, Regular, &b""[..])).collect();
    assert!(refused(Format::TarGz, tar).ends_with(expected));
    assert!(refused(Format::TarGz, tar_gz(&many)).ends_with(expected));
    assert!(refused(Format::Zip, zip(&[("letters/zeros", Some(&zeros))])).ends_with(expected));
}

#[test]
fn names_that_would_fill_the_memory_are_refused() {
    for kind in [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader] {
        let many = tar_gz(&[("letters/x", kind, &[b'a'; 100_000]), ("letters/a", Regular, b"a")]);
        let error = refused(Format::TarGz, many);
        assert!(error.contains("a name of more than 65536 bytes"), "{kind:?}: {error}");
    }
    // A header of its own for each of many files is within the bound.
    let long = format!("letters/{}", "long/".repeat(100));
    let names: Vec<String> = (0..100).map(|index| format!("{long}{index}")).collect();
    let file = |name| -> [Entry; 2] {
        [
            ("././@LongLink", EntryType::GNULongName, name),
            ("letters/a", Regular, b"a"),
        ]
    };
    let files: Vec<Entry> = names.iter().flat_map(|name| file(name.as_bytes())).collect();
    let outer = tempfile::tempdir().unwrap();
    let (fetched, _) = run(&served(Format::TarGz, tar_gz(&files), outer.path()));
    fetched.unwrap();
    assert_eq!(std::fs::read(outer.path().join("data").join(&names[99])).unwrap(), b"a");
}

#[test]
fn a_zip_that_lies_about_its_size_is_refused() {
    let mut bomb = zip(&[("letters/zeros", Some(&[0; 1_000_000]))]);
    // The size in the local and the central header.
    let (size, lie) = (1_000_000u32.to_le_bytes(), 10u32.to_le_bytes());
    let found: Vec<usize> = (0..bomb.len() - 4).filter(|&at| bomb[at..at + 4] == size).collect();
    assert!(!found.is_empty());
    found.iter().for_each(|&at| bomb[at..at + 4].copy_from_slice(&lie));
    let error = refused(Format::Zip, bomb);
    assert!(error.contains("letters.zip.partial: "), "{error}");
}

#[test]
fn broken_archives_are_refused() {
    let tar = tar_gz(&[("letters/a", Regular, &bytes(20_000))]);
    let zip = zip(&[("letters/a", Some(&bytes(20_000)))]);
    for (format, body) in [(Format::TarGz, tar), (Format::Zip, zip)] {
        for keep in [0, 1, 1_000, body.len() - 3] {
            let error = refused(format, body[..keep].to_vec());
            assert!(
                error.contains("is not a complete archive"),
                "{format:?}, {keep} bytes: {error}"
            );
        }
        let mut flipped = body.clone();
        flipped[5_000] ^= 0x10;
        refused(format, flipped);
    }
    let other = tar_gz(&[("numbers/a", Regular, b"a")]);
    assert!(refused(Format::TarGz, other).ends_with("holds no folder letters"));
}
