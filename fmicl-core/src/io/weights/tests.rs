//! Files that are not what they should be.

use super::*;
use proptest::prelude::*;
use std::fs::{self, File};
use tch::{Device, Kind};

/// What is read of a file of these bytes, or the error's words without the folder.
fn read_of(bytes: &[u8]) -> Result<HashMap<String, Tensor>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    fs::write(&path, bytes).unwrap();
    read(&path).map_err(|error| error.to_string().replace(path.to_str().unwrap(), "w.safetensors"))
}

fn error_of(bytes: &[u8]) -> String {
    read_of(bytes).unwrap_err()
}

/// A file of a header and `data` bytes behind it.
fn with_header(header: &str, data: usize) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn each_damage_has_its_words() {
    assert_eq!(
        error_of(b"short"),
        "w.safetensors: is not safetensors: it has 5 bytes, and a header takes more"
    );
    assert_eq!(
        error_of(b"not weights at all"),
        "w.safetensors: is damaged, or not safetensors: it begins with no length of a header"
    );
    assert_eq!(
        error_of(b"\x40\0\0\0\0\0\0\0{"),
        "w.safetensors: is truncated, or not safetensors: its header claims 64 bytes, but the file has 9"
    );
    let tensor = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    assert_eq!(
        error_of(&with_header(tensor, 7)),
        "w.safetensors: is truncated or damaged: the tensors that its header names do not take the 7 bytes behind it"
    );
    let unreadable = "w.safetensors: is damaged, or not safetensors: its header cannot be read";
    for header in [
        "{\"a\"",
        r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
        r#"{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}"#,
    ] {
        assert_eq!(error_of(&with_header(header, 8)), unreadable, "{header}");
    }
    let whole = r#"{"a":{"dtype":"U16","shape":[4],"data_offsets":[0,8]}}"#;
    assert_eq!(
        error_of(&with_header(whole, 8)),
        "w.safetensors: a of U16: libtorch: conversion error: unsupported dtype U16"
    );
}

#[test]
fn a_pickle_says_how_to_convert_it() {
    for start in [&b"PK\x03\x04 and so on"[..], &b"\x80\x02 and so on"[..]] {
        let message = error_of(start);
        assert_eq!(
            message,
            "w.safetensors: is a pickle of PyTorch, not safetensors; convert it with `fmicl convert FILE`"
        );
    }
}

#[test]
fn what_is_no_file_or_takes_all_memory_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let sparse = folder.path().join("sparse");
    File::create(&sparse).unwrap().set_len(MOST + 1).unwrap();
    for (path, what) in [
        (Path::new("/dev/zero"), "is not a regular file"),
        (Path::new("/"), "is a folder"),
        (&sparse, "has 274877906945 bytes, and at most 274877906944 are read"),
    ] {
        let expected = format!("{}: {what}; a file of safetensors is expected", path.display());
        assert_eq!(read(path).unwrap_err().to_string(), expected);
    }
}

/// A file of two tensors.
fn whole() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let ones = |size: &[i64]| Tensor::ones(size, (Kind::Float, Device::Cpu));
    write([("weight".into(), ones(&[2, 3])), ("bias".into(), ones(&[2]))], &path).unwrap();
    fs::read(&path).unwrap()
}

proptest! {
    #[test]
    fn a_truncated_file_is_an_error(part in 0.0..1.0) {
        let bytes = whole();
        let message = error_of(&bytes[..(bytes.len() as f64 * part) as usize]);
        prop_assert!(message.contains("truncated") || message.contains("not safetensors"), "{}", message);
    }

    #[test]
    fn flipped_bits_are_an_error_or_other_values(flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8), 1..4)) {
        let mut bytes = whole();
        for (index, bit) in flips {
            let index = index.index(bytes.len());
            bytes[index] ^= 1u8 << bit;
        }
        match read_of(&bytes) {
            Ok(tensors) => prop_assert_eq!(tensors.len(), 2),
            Err(message) => prop_assert!(message.starts_with("w.safetensors: ") && !message.contains('\n'), "{}", message),
        }
    }
}
