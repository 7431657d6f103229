//! Datasets in which something is wrong.

mod odd;

use super::*;
use crate::data::load;
use fmicl_core::{Rng, toml};
use std::path::Path;

/// A photo of blocks, which a seed decides and `brighter` makes brighter.
fn photo(seed: u64, brighter: u8) -> Vec<u8> {
    let mut random = Rng::new(&[seed]);
    let blocks: Vec<u8> = (0..81).map(|_| random.below(200) as u8).collect();
    let side = 27;
    let pixel = |place: usize| blocks[place / side / 3 * 9 + place % side / 3] + brighter;
    let pixels = (0..side * side).flat_map(|place| [pixel(place), pixel(place), 255 - pixel(place)]);
    format!("P6 {side} {side} 255\n")
        .into_bytes()
        .into_iter()
        .chain(pixels)
        .collect()
}

/// Ten photos of each of two classes to train on, and four to test on.
fn photos() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut seed = 0;
    for (split, count) in [("train", 10), ("test", 4)] {
        for class in ["one", "two"] {
            std::fs::create_dir_all(folder.path().join(split).join(class)).unwrap();
            for name in 0..count {
                write(folder.path(), &format!("{split}/{class}/{name}.ppm"), &photo(seed, 0));
                seed += 1;
            }
        }
    }
    folder
}

fn write(folder: &Path, path: &str, bytes: &[u8]) {
    std::fs::write(folder.join(path), bytes).unwrap();
}

fn options() -> Options {
    Options {
        near: 3,
        json: None,
        list: None,
    }
}

/// What is printed, and the error.
fn checked(dataset: &Part<dyn Dataset>, options: &Options) -> (String, Result<(), String>) {
    let mut out = Vec::new();
    let result = check(&mut out, dataset, None, options);
    (
        String::from_utf8(out).unwrap(),
        result.map_err(|error| error.to_string()),
    )
}

/// Whether a line is among what is printed, whatever the width of its columns.
fn says(said: &str, line: &str) -> bool {
    let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
    said.lines().any(|found| words(found) == words(line))
}

fn of_photos(folder: &Path) -> Part<dyn Dataset> {
    load("image-folder", &[format!("root={}", folder.display())]).unwrap()
}

#[test]
fn a_sound_dataset_has_no_fault() {
    let folder = photos();
    let (said, result) = checked(&of_photos(folder.path()), &options());
    assert_eq!(result, Ok(()), "{said}");
    for line in [
        "                     train      test",
        "samples              20         8",
        "unreadable           0          0",
        "width                27         27",
        "files                20 .ppm    8 .ppm",
        "smallest class       10 (one)   4 (one)",
        "test samples that are also trained on: 0",
        "test samples that look like one that is trained on: 0 (dHash, at most 3 of 64 bits)",
    ] {
        assert!(says(&said, line), "{line}: {said}");
    }
}

#[test]
fn what_is_wrong_is_named_counted_listed_and_can_be_left_out() {
    let folder = photos();
    let at = |path: &str| folder.path().join(path);
    std::fs::copy(at("train/one/0.ppm"), at("train/one/1.ppm")).unwrap();
    std::fs::copy(at("train/one/0.ppm"), at("train/two/9.ppm")).unwrap();
    std::fs::copy(at("test/two/1.ppm"), at("train/two/5.ppm")).unwrap();
    write(folder.path(), "train/two/3.ppm", &photo(13, 0)[..100]);
    // The photo of test/one/2, 22nd of all.
    write(folder.path(), "train/one/7.ppm", &photo(22, 3));
    // Of another split, one looks like the other.
    write(folder.path(), "test/two/3.ppm", &photo(26, 2));
    let with_files = Options {
        json: Some(at("found.json")),
        list: Some(at("list.csv")),
        ..options()
    };
    let (said, result) = checked(&of_photos(folder.path()), &with_files);
    assert_eq!(
        result.unwrap_err(),
        "train: 1 of 20 samples cannot be read; test samples that are also trained on: 1"
    );
    for line in [
        "unreadable           1          0",
        "same as another      2          0",
        "look like another    0          2",
        "same, of two classes  1          0",
        "test samples that are also trained on: 1",
        "test samples that look like one that is trained on: 1 (dHash, at most 3 of 64 bits)",
        "train: the same:",
        "  train/one/0.ppm = train/one/1.ppm = train/two/9.ppm",
        "test: look alike:",
        "  test/two/2.ppm = test/two/3.ppm",
        "in training and test:",
        "  train/two/5.ppm = test/two/1.ppm",
        "alike in training and test:",
        "  train/one/7.ppm = test/one/2.ppm",
    ] {
        assert!(says(&said, line), "{line}: {said}");
    }
    let list = std::fs::read_to_string(at("list.csv")).unwrap();
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 7, "{list}");
    let of_two = "which is of another class";
    assert_eq!(
        lines[..3],
        [
            "split,sample,path,why",
            &format!("train,0,train/one/0.ppm,\"is the same as train/two/9.ppm, {of_two}\""),
            &format!("train,1,train/one/1.ppm,\"is the same as train/two/9.ppm, {of_two}\""),
        ]
    );
    assert_eq!(
        lines[3],
        "train,7,train/one/7.ppm,looks like the test sample test/one/2.ppm (0 of 64 bits differ)"
    );
    assert!(
        lines[4].starts_with("train,13,train/two/3.ppm,cannot be read: "),
        "{list}"
    );
    assert_eq!(lines[5], "train,15,train/two/5.ppm,is the test sample test/two/1.ppm");
    assert_eq!(
        lines[6],
        format!("train,19,train/two/9.ppm,\"is the same as train/one/0.ppm, {of_two}\"")
    );
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(at("found.json")).unwrap()).unwrap();
    assert_eq!(json["splits"][0]["unreadable"][0]["path"], "train/two/3.ppm");
    assert_eq!(json["splits"][1]["alike"][0][1]["sample"], 7);
    assert_eq!(json["leaks"][1]["bits"], serde_json::Value::Null);
    assert_eq!(
        (&json["leaks"][0]["bits"], &json["test_samples_in_training"]),
        (&0.into(), &1.into())
    );

    let of = toml::Table::from_iter([
        ("name".to_string(), "image-folder".into()),
        ("root".into(), folder.path().to_str().unwrap().into()),
    ]);
    let without = toml::Table::from_iter([
        ("list".to_string(), at("list.csv").to_str().unwrap().into()),
        ("of".into(), of.into()),
    ]);
    let without: Part<dyn Dataset> = Part::new("leave-out", without).unwrap();
    let (said, result) = checked(&without, &options());
    assert_eq!(result, Ok(()), "{said}");
    assert_eq!(without.open(Split::Train).unwrap().len(), 14);
}

#[test]
fn duplicates_to_test_on_stay_and_the_line_for_an_experiment_is_toml() {
    let folder = photos();
    let at = |path: &str| folder.path().join(path);
    std::fs::copy(at("test/one/0.ppm"), at("test/one/1.ppm")).unwrap();
    std::fs::copy(at("test/one/0.ppm"), at("test/two/1.ppm")).unwrap();
    std::fs::copy(at("train/one/4.ppm"), at("train/one/5.ppm")).unwrap();
    let list = at("q\"x.csv");
    let with_list = Options {
        list: Some(list.clone()),
        ..options()
    };
    let (said, result) = checked(&of_photos(folder.path()), &with_list);
    assert_eq!(result, Ok(()), "{said}");
    assert_eq!(
        std::fs::read_to_string(&list).unwrap(),
        "split,sample,path,why\ntrain,5,train/one/5.ppm,is the same as train/one/4.ppm\n"
    );
    let (_, line) = said.split_once("in an experiment: ").unwrap();
    let table: toml::Table = line.lines().next().unwrap().parse().unwrap();
    assert_eq!(table["dataset"]["list"].as_str(), list.to_str());
}

#[test]
fn photos_without_labels_are_one_split_that_nothing_is_tested_on() {
    let folder = photos();
    let sets = [format!("root={}", folder.path().join("train/one").display())];
    let (said, result) = checked(&load("image-folder", &sets).unwrap(), &options());
    assert_eq!(result, Ok(()));
    assert!(
        says(&said, "samples 10") && says(&said, "no split is tested on"),
        "{said}"
    );
    assert!(!said.contains("classes"), "{said}");
    assert!(
        says(
            &said,
            &format!(
                "{}: photos without class folders have no labels",
                folder.path().join("train/one").display()
            )
        ),
        "{said}"
    );
}

#[test]
fn a_place_that_cannot_be_is_an_error_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = Options {
        list: Some(folder.path().join("no/list.csv")),
        ..options()
    };
    let (said, result) = checked(&load("odd", &[]).unwrap(), &nowhere);
    assert!(
        said.is_empty() && result.unwrap_err().contains("there is no folder"),
        "{said}"
    );
    // What lies there may be the data's own, or a list that was edited.
    let there = folder.path().join("photo.png");
    std::fs::write(&there, "a photo").unwrap();
    let over = Options {
        json: Some(there.clone()),
        ..options()
    };
    let error = checked(&load("odd", &[]).unwrap(), &over).1.unwrap_err();
    assert!(
        error.ends_with("photo.png is there already; name another file, or remove it"),
        "{error}"
    );
    assert_eq!(std::fs::read(&there).unwrap(), b"a photo");
    let both = Options {
        json: Some(folder.path().join("new")),
        list: Some(folder.path().join("new")),
        ..options()
    };
    let error = checked(&load("odd", &[]).unwrap(), &both).1.unwrap_err();
    assert_eq!(error, "--json and --list name one file; name two");
}

#[test]
fn a_split_that_is_not_checked_is_said() {
    let folder = photos();
    std::fs::create_dir_all(folder.path().join("val/one")).unwrap();
    write(folder.path(), "val/one/0.ppm", &photo(99, 0));
    write(folder.path(), "train/one/list.txt", b"");
    let found = folder.path().join("found.json");
    let with_json = Options {
        json: Some(found.clone()),
        ..options()
    };
    let (said, result) = checked(&of_photos(folder.path()), &with_json);
    assert_eq!(result, Ok(()), "{said}");
    let root = folder.path().display();
    let unused = format!("{root}/val: is not used, since the test split is `test`; `test = \"val\"` tests on it");
    assert!(says(&said, &unused) && said.contains(": 1 left out: 1 .txt"), "{said}");
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(found).unwrap()).unwrap();
    assert_eq!(json["notes"][1], unused);
}
