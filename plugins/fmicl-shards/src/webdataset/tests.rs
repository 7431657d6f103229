//! Shards as a dataset.

use super::*;
use fmicl_core::testing::{check_dataset, check_dataset_files};
use std::fs::File;
use std::time::{Duration, SystemTime};

fn dataset(root: &Path) -> WebDataset {
    WebDataset {
        root: root.into(),
        ..WebDataset::default()
    }
}

fn error(dataset: &WebDataset, split: Split) -> String {
    let error = dataset.open(split).map(|_| ()).unwrap_err().to_string();
    error.replace(&format!("{}/", dataset.root.display()), "")
}

/// Writes a shard of images of these labels; without one where it is none.
fn write(path: &Path, labels: &[Option<u8>]) {
    let files = (0u8..).zip(labels).flat_map(|(number, label)| {
        let image = [(format!("{number}.ppm"), image(label.unwrap_or(0) % 2, number))];
        let label = label.map(|label| (format!("{number}.cls"), label.to_string().into_bytes()));
        image.into_iter().chain(label)
    });
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, tar(files).unwrap()).unwrap();
}

/// As if the file had been written at this time.
fn written_at(path: &Path, seconds: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .unwrap();
}

fn labels(samples: &dyn Samples) -> Vec<usize> {
    (0..samples.len()).map(|index| samples.label(index)).collect()
}

#[test]
fn the_example_keeps_the_laws_whole_and_broken() {
    for seed in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        check_dataset_files("webdataset", folder.path(), seed);
    }
}

#[test]
fn samples_of_all_shards_are_read_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    dataset(folder.path()).example(folder.path()).unwrap();
    let samples = dataset(folder.path()).open(Split::Train).unwrap();
    assert_eq!((samples.len(), samples.classes()), (20, 2));
    assert_eq!(samples.class_names(), ["one", "two"]);
    for number in [19, 0, 10, 9, 3u8] {
        let expected = image(number % 2, number);
        assert_eq!(
            samples.image(number.into()).unwrap().pixels,
            expected[expected.len() - 1440..]
        );
        assert_eq!(samples.label(number.into()), usize::from(number % 2));
    }
    let portions = samples.portions();
    let names: Vec<_> = portions
        .iter()
        .map(|portion| (&*portion.name, portion.samples))
        .collect();
    assert_eq!(names, [("train-000000.tar", 10), ("train-000001.tar", 10)]);
    assert_eq!(dataset(folder.path()).open(Split::Test).unwrap().len(), 4);
}

#[test]
fn without_names_there_are_as_many_classes_as_the_training_labels_say() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("train-0.tar"), &[Some(0), Some(4)]);
    write(&folder.path().join("val-0.tar"), &[Some(1)]);
    let samples = dataset(folder.path()).open(Split::Test).unwrap();
    assert_eq!((samples.classes(), samples.class_names().len()), (5, 0));
    write(&folder.path().join("val-0.tar"), &[Some(1), Some(9)]);
    assert_eq!(
        error(&dataset(folder.path()), Split::Test),
        "val-0.tar/1.ppm: has the label 9, and there are 5 classes"
    );
    std::fs::write(folder.path().join("classes.txt"), "a\nb\n").unwrap();
    assert_eq!(
        error(&dataset(folder.path()), Split::Train),
        "train-0.tar/1.ppm: has the label 4, and there are 2 classes"
    );
}

#[test]
fn without_labels_there_is_pre_training() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("0.tar"), &[None, None]);
    written_at(&folder.path().join("0.tar"), 1000);
    let samples = dataset(folder.path()).open(Split::Train).unwrap();
    check_dataset(&*samples);
    assert_eq!(samples.classes(), 0);
    assert_eq!(
        samples.notes(),
        ["no sample to train on has a `.cls`, so there are no labels"]
    );
    write(&folder.path().join("1.tar"), &[Some(0)]);
    let expected = "0.tar: no sample has a label, but those of ";
    assert!(error(&dataset(folder.path()), Split::Train).starts_with(expected));
    let without = WebDataset {
        labels: ReadLabels::None,
        ..dataset(folder.path())
    };
    let samples = without.open(Split::Train).unwrap();
    assert_eq!((samples.len(), samples.classes(), samples.notes().len()), (3, 0, 0));
}

#[test]
fn shards_without_labels_may_be_pre_trained_on_beside_others() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("train-0.tar"), &[Some(0), Some(1)]);
    write(&folder.path().join("more.tar"), &[None, None, None]);
    let both = WebDataset {
        pretrain: Patterns(vec!["more.tar".into()]),
        ..dataset(folder.path())
    };
    assert!(both.has_unlabelled());
    let samples = both.open(Split::Pretrain).unwrap();
    assert_eq!((samples.len(), samples.classes()), (3, 0));
    assert_eq!(both.open(Split::Train).unwrap().classes(), 2);
}

#[test]
fn texts_are_pre_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["One.", "Two."].map(|text| (format!("{text}txt"), text.as_bytes().to_vec()));
    std::fs::write(folder.path().join("a.tar"), tar(files).unwrap()).unwrap();
    let texts = WebDataset {
        text: "txt".into(),
        ..dataset(folder.path())
    };
    assert_eq!((texts.modality(), texts.is_labelled()), (Modality::Texts, false));
    let samples = texts.open(Split::Pretrain).unwrap();
    check_dataset(&*samples);
    assert_eq!(samples.texts(1).unwrap(), ["Two."]);
}

#[test]
fn the_index_is_kept_and_made_again_for_shards_that_changed() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["train-0.tar", "train-1.tar"].map(|name| folder.path().join(name));
    let write_both = |label| {
        for path in [&first, &second] {
            // Another file, as most programs replace one.
            let new = path.with_extension("new");
            write(&new, &[Some(label), Some(1)]);
            written_at(&new, 1000);
            std::fs::rename(new, path).unwrap();
        }
    };
    let index = || {
        let mut entries = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let is_index = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "index");
        entries.find(is_index).unwrap()
    };
    let found = || labels(&*dataset(folder.path()).open(Split::Train).unwrap());
    write_both(0);
    assert_eq!(found(), [0, 1, 0, 1]);
    written_at(&index(), 2000);
    assert_eq!(found(), [0, 1, 0, 1]);
    let written = std::fs::metadata(index()).unwrap().modified().unwrap();
    assert_eq!(
        written,
        SystemTime::UNIX_EPOCH + Duration::from_secs(2000),
        "it was made once"
    );
    // Of the same size and time, and yet others.
    write_both(2);
    assert_eq!(found(), [2, 1, 2, 1]);
    write(&second, &[Some(3), Some(1)]);
    written_at(&second, 1001);
    assert_eq!(found(), [2, 1, 3, 1]);
    write(&first, &[Some(2), Some(1), Some(0)]);
    written_at(&first, 1000);
    assert_eq!(found(), [2, 1, 0, 3, 1]);
    let index = index();
    write_both(3);
    std::fs::write(&index, "damaged").unwrap();
    assert_eq!(found(), [3, 1, 3, 1]);
    assert_ne!(std::fs::read(&index).unwrap(), b"damaged");
}

#[test]
fn a_shard_that_changes_while_it_is_read_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train-0.tar");
    write(&path, &[Some(0), Some(1)]);
    let samples = dataset(folder.path()).open(Split::Train).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(1000).unwrap();
    let error = samples.image(1).unwrap_err().to_string();
    assert!(
        error.contains("train-0.tar: ends before byte ") && error.ends_with("start again"),
        "{error}"
    );
}

#[test]
fn a_shard_that_is_not_held_open_is_told_to_be_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |number: usize| folder.path().join(format!("{number:03}.tar"));
    for number in 0..257 {
        write(&path(number), &[None]);
    }
    let samples = dataset(folder.path()).open(Split::Train).unwrap();
    samples.image(256).unwrap();
    written_at(&path(256), 1000);
    let error = samples.image(256).unwrap_err().to_string();
    assert!(
        error.ends_with("/256.tar: has changed since it was opened; start again"),
        "{error}"
    );
    samples.image(255).unwrap();
}

#[test]
fn options_that_would_mean_nothing_are_refused() {
    let texts = || WebDataset {
        text: "txt".into(),
        ..WebDataset::default()
    };
    let test = WebDataset {
        test: Patterns(vec!["a.tar".into()]),
        ..texts()
    };
    let labels = WebDataset {
        labels: ReadLabels::None,
        ..texts()
    };
    let label = WebDataset {
        label: "class".into(),
        ..texts()
    };
    let key = WebDataset {
        json_key: "class".into(),
        ..texts()
    };
    for (dataset, option) in [
        (&test, "test"),
        (&labels, "labels"),
        (&label, "label"),
        (&key, "json_key"),
    ] {
        let error = dataset.validate().unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{option}: goes with images, and `text` ")),
            "{error}"
        );
    }
    texts().validate().unwrap();
    let both = WebDataset {
        text: String::new(),
        json_key: "class".into(),
        ..label
    };
    let error = both.validate().unwrap_err().to_string();
    assert!(
        error.starts_with("label: names files of labels, and `json_key` "),
        "{error}"
    );
}

#[test]
fn a_label_that_is_named_and_nowhere_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("0.tar"), &[Some(0)]);
    let key = WebDataset {
        json_key: "class".into(),
        ..dataset(folder.path())
    };
    let expected = "0.tar: no sample has a `.json` with the key `class`; `labels = \"none\"` trains without";
    assert_eq!(error(&key, Split::Train), expected);
    let label = WebDataset {
        label: "class".into(),
        ..dataset(folder.path())
    };
    let expected = "0.tar: no sample has a `.class`; `labels = \"none\"` trains without";
    assert_eq!(error(&label, Split::Train), expected);
}

#[test]
fn an_image_that_cannot_be_decoded_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let files = [("d/a.jpg".to_string(), b"not an image".to_vec())];
    std::fs::write(folder.path().join("a.tar"), tar(files).unwrap()).unwrap();
    let samples = dataset(folder.path()).open(Split::Train).unwrap();
    let error = samples.image(0).unwrap_err().to_string();
    assert!(error.contains("/a.tar/d/a.jpg: is no JPEG, "), "{error}");
}

#[test]
fn errors_say_what_would_work() {
    let folder = tempfile::tempdir().unwrap();
    let own = dataset(folder.path());
    assert_eq!(
        error(&WebDataset::default(), Split::Train),
        "root: is missing: set it to the folder that holds the shards"
    );
    assert!(
        error(&dataset(Path::new("/nowhere")), Split::Train).starts_with("/nowhere: there is no such folder; `root` ")
    );
    assert!(error(&own, Split::Train).contains("holds no .tar file to train on; `root` (--set dataset.root=DIR)"));
    std::fs::write(folder.path().join("train.tar.gz"), b"\x1f\x8b").unwrap();
    let found = error(&own, Split::Train);
    assert!(
        found.starts_with("train.tar.gz: is compressed by gzip, so that"),
        "{found}"
    );
    assert!(
        found.ends_with("/train.tar.gz`") || found.ends_with("`gunzip --keep train.tar.gz`"),
        "{found}"
    );
    write(&folder.path().join("train-0.tar"), &[Some(0)]);
    let found = error(&own, Split::Train);
    assert!(
        found.starts_with("train.tar.gz: is compressed by gzip"),
        "beside others: {found}"
    );
    std::fs::remove_file(folder.path().join("train.tar.gz")).unwrap();
    assert!(
        error(&own, Split::Test)
            .contains("holds no .tar file with one of the words test, testing, val, valid, validation")
    );
    let missing = WebDataset {
        train: Patterns(vec!["train-{0..1}.tar".into()]),
        ..own
    };
    let expected = "train-1.tar: there is no such file; `root` (--set dataset.root=DIR) should hold shards";
    assert!(error(&missing, Split::Train).starts_with(expected));
}
