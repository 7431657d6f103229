//! Parquet files as people have them.

use super::*;
use crate::example::image;
use fmicl_core::testing::{check_dataset, check_dataset_files};
use std::fs::File;
use std::time::{Duration, SystemTime};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

/// A dataset of copies of golden files, old enough to be remembered.
fn with(files: &[&str]) -> (tempfile::TempDir, Parquet) {
    let folder = tempfile::tempdir().unwrap();
    for name in files {
        let path = folder.path().join(name);
        std::fs::copy(golden(name), &path).unwrap();
        written_at(&path, 1000);
    }
    let root = folder.path().into();
    let dataset = Parquet {
        root,
        ..Parquet::default()
    };
    (folder, dataset)
}

fn written_at(path: &Path, seconds: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .unwrap();
}

fn error(dataset: &Parquet) -> String {
    let error = dataset.open(Split::Pretrain).map(|_| ()).unwrap_err().to_string();
    error.replace(&format!("{}/", dataset.root.display()), "")
}

/// The pixels of the golden images, as the files of one format show them, and the labels that stand beside them.
fn read(dataset: &Parquet) -> Vec<(usize, Vec<u8>)> {
    let samples = dataset.open(Split::Train).unwrap();
    check_dataset(&*samples);
    (0..samples.len())
        .map(|index| (samples.label(index), samples.image(index).unwrap().pixels))
        .collect()
}

#[test]
fn the_example_keeps_the_laws_whole_and_broken() {
    for seed in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        check_dataset_files("parquet", folder.path(), seed);
    }
}

#[test]
fn the_example_reads_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let options = Parquet::default().example(folder.path()).unwrap();
    let dataset = Parquet {
        root: options["root"].as_str().unwrap().into(),
        ..Parquet::default()
    };
    let samples = dataset.open(Split::Train).unwrap();
    assert_eq!(
        (samples.len(), samples.class_names()),
        (20, vec!["one".to_string(), "two".into()])
    );
    for number in [19, 0, 7u8] {
        let expected = image(number % 2, number);
        assert_eq!(
            samples.image(number.into()).unwrap().pixels,
            expected[expected.len() - 1440..]
        );
        assert_eq!(samples.label(number.into()), usize::from(number % 2));
    }
    assert_eq!(dataset.open(Split::Test).unwrap().len(), 4);
    assert!(
        !folder.path().join(".fmicl-unpacked").exists(),
        "images that are not compressed are read where they lie"
    );
}

#[test]
fn files_whose_classes_have_other_names_do_not_go_together() {
    let folder = tempfile::tempdir().unwrap();
    Parquet::default().example(folder.path()).unwrap();
    let dataset = Parquet {
        root: folder.path().into(),
        ..Parquet::default()
    };
    let error = |split| {
        let error = dataset.open(split).map(|_| ()).unwrap_err().to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    };
    for (name, split) in [("test.parquet", Split::Test), ("train.parquet", Split::Train)] {
        std::fs::copy(golden("images.parquet"), folder.path().join(name)).unwrap();
        let expected =
            format!("{name}: its names of classes differ from those of train-00000-of-00001.parquet, so that");
        assert!(error(split).starts_with(&expected), "{}", error(split));
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    dataset.open(Split::Test).unwrap();
    let texts = Parquet {
        text: Names(vec!["a".into()]),
        label: "b".into(),
        ..dataset
    };
    let error = texts.validate().unwrap_err().to_string();
    assert!(error.starts_with("label: goes with images, and `text` "), "{error}");
}

#[test]
fn images_of_datasets_are_read_however_they_are_compressed() {
    let (_folder, plain) = with(&["images.parquet"]);
    let samples = plain.open(Split::Train).unwrap();
    assert_eq!(samples.class_names(), ["cat", "dog", "eel"]);
    assert!(samples.notes().is_empty(), "{:?}", samples.notes());
    let expected = read(&plain);
    let written = std::fs::read_to_string(golden("images.txt")).unwrap();
    let labels: Vec<usize> = written
        .lines()
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(expected.iter().map(|(label, _)| *label).collect::<Vec<_>>(), labels);
    for compression in ["snappy", "zstd", "gzip"] {
        let (folder, packed) = with(&[&format!("images-{compression}.parquet")]);
        assert!(read(&packed) == expected, "{compression}");
        let notes = packed.open(Split::Train).unwrap().notes();
        let unpacked = folder.path().join(".fmicl-unpacked");
        let note = format!(
            "{}: holds 1 MB, unpacked once, of 1 compressed shards",
            unpacked.display()
        );
        assert_eq!(notes, [note]);
        assert_eq!(std::fs::read_dir(&unpacked).unwrap().count(), 1);
    }
}

#[test]
fn a_copy_that_is_gone_is_made_again() {
    let (folder, packed) = with(&["images-snappy.parquet"]);
    let before = read(&packed);
    let unpacked = folder.path().join(".fmicl-unpacked");
    let copy = std::fs::read_dir(&unpacked).unwrap().next().unwrap().unwrap().path();
    let written = std::fs::metadata(&copy).unwrap().modified().unwrap();
    assert!(read(&packed) == before);
    assert_eq!(
        std::fs::metadata(&copy).unwrap().modified().unwrap(),
        written,
        "it was made once"
    );
    File::options().write(true).open(&copy).unwrap().set_len(100).unwrap();
    assert!(read(&packed) == before);
    std::fs::remove_dir_all(&unpacked).unwrap();
    assert!(read(&packed) == before);
}

#[test]
fn columns_of_bytes_alone_are_named() {
    let (_folder, raw) = with(&["raw.parquet"]);
    let samples = raw.open(Split::Train).unwrap();
    assert_eq!((samples.len(), samples.classes()), (7, 0));
    let labelled = Parquet {
        label: "fine".into(),
        ..raw
    };
    let (_images, images) = with(&["images.parquet"]);
    assert!(read(&labelled) == read(&images));
}

#[test]
fn texts_are_pre_trained_on_one_by_one_or_in_pairs() {
    let texts = |names: &[&str]| {
        let (_folder, dataset) = with(&["texts.parquet"]);
        let dataset = Parquet {
            text: Names(names.iter().map(ToString::to_string).collect()),
            ..dataset
        };
        assert_eq!(dataset.modality(), Modality::Texts);
        let samples = dataset.open(Split::Pretrain).unwrap();
        check_dataset(&*samples);
        let texts = (0..samples.len()).map(|index| samples.texts(index).unwrap().join(" | "));
        (texts.collect::<Vec<_>>(), samples.notes().len())
    };
    let all = ["Eins.", "Zwei.", "Drei.", "Vier.", "Fünf."].map(String::from).to_vec();
    assert_eq!(texts(&["second"]), (all, 1));
    let pairs = ["One é. | Eins.", "Three. | Drei.", "Five. | Fünf."]
        .map(String::from)
        .to_vec();
    assert_eq!(texts(&["first", "second"]), (pairs, 2));
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    let (_folder, images) = with(&["images.parquet"]);
    let change = |image: &str, label: &str| Parquet {
        root: images.root.clone(),
        image: image.into(),
        label: label.into(),
        ..Parquet::default()
    };
    let columns = "its columns are image, label";
    assert_eq!(
        error(&change("photo", "")),
        format!("images.parquet: has no column `photo`; {columns}; `image` names one")
    );
    assert_eq!(
        error(&change("", "class")),
        format!("images.parquet: has no column `class`; {columns}; `label` names one")
    );
    assert_eq!(
        error(&change("label", "")),
        "images.parquet: `label` is a column of integers, and images are bytes; `image` names another column"
    );
    assert_eq!(
        error(&change("", "image.path")),
        "images.parquet: `image.path` is a column of bytes or texts, and labels are integers; `label` names another column"
    );
    let (folder, texts) = with(&["texts.parquet"]);
    let expected = "texts.parquet: has no column of images; its columns are first, second, score; `image` names one";
    assert_eq!(error(&texts), expected);
    let score = Parquet {
        text: Names(vec!["score".into()]),
        ..texts
    };
    let expected = "texts.parquet: `score` is a column of numbers with fractions, and texts are bytes; `text` names another column";
    assert_eq!(error(&score), expected);
    let path = folder.path().join("texts.parquet");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(
        error(&score).starts_with("texts.parquet: is damaged, or no Parquet file: "),
        "{}",
        error(&score)
    );
    std::fs::write(&path, b"ARROW1\0\0").unwrap();
    assert!(
        error(&score).starts_with("texts.parquet: is an Arrow file, not Parquet: `datasets."),
        "{}",
        error(&score)
    );
    std::fs::remove_file(&path).unwrap();
    assert!(error(&score).contains("holds no .parquet file to train on; `root` (--set dataset.root=DIR)"));
}

#[test]
fn a_codec_that_is_not_read_is_named_with_those_that_are() {
    let (folder, dataset) = with(&["images-snappy.parquet"]);
    let path = folder.path().join("images-snappy.parquet");
    let whole = std::fs::read(&path).unwrap();
    // The codec behind the column's path, in Thrift's compact protocol.
    let before = b"bytes\x15\x02\x16";
    for (codec, name) in [(3, "LZO"), (4, "BROTLI"), (5, "LZ4"), (7, "LZ4_RAW")] {
        let mut changed = whole.clone();
        let mut places = 0;
        for start in 0..changed.len() - before.len() {
            if changed[start..].starts_with(before) {
                changed[start + 6] = 2 * codec;
                places += 1;
            }
        }
        assert!(places > 0);
        std::fs::write(&path, changed).unwrap();
        let found = error(&dataset);
        let expected = format!(
            "images-snappy.parquet: `image` is compressed by {name}; snappy, zstd and gzip are read: `pyarrow."
        );
        assert!(found.starts_with(&expected), "{found}");
    }
}

#[test]
fn rows_without_an_image_are_counted_and_left_out_with_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, has_image: fn(u8) -> bool| {
        let bytes = example::file_with(0..20, has_image).unwrap();
        std::fs::write(folder.path().join(name), bytes).unwrap();
    };
    let dataset = Parquet {
        root: folder.path().into(),
        ..Parquet::default()
    };
    write("train-0.parquet", |number| number % 5 != 1);
    let samples = dataset.open(Split::Train).unwrap();
    check_dataset(&*samples);
    let notes = samples.notes().join("\n");
    assert!(
        samples.len() == 16 && notes.ends_with(": 4 entries of shards left out: 4 without an image"),
        "{notes}"
    );
    // The second one is the third row.
    let expected = image(0, 2);
    assert_eq!(samples.image(1).unwrap().pixels, expected[expected.len() - 1440..]);
    let labels: Vec<_> = (0..4).map(|index| samples.label(index)).collect();
    assert_eq!(labels, [0, 0, 1, 0]);
    drop(samples);
    write("train-0.parquet", |_| false);
    assert_eq!(
        error(&dataset),
        "train-0.parquet: has no row with a value in `image`: it holds the images' paths at most; embed the images when you write it"
    );
}

#[test]
fn arrow_files_in_place_of_parquet_files_are_named_with_what_converts_them() {
    for name in ["data-00000-of-00001.arrow", "train/data-00000-of-00001.arrow"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
        let dataset = Parquet {
            root: folder.path().into(),
            ..Parquet::default()
        };
        let found = error(&dataset);
        assert!(
            found.contains("holds no .parquet file to train on, but an .arrow file, which is not read: `datasets.load_from_disk(FOLDER)."),
            "{found}"
        );
    }
}
