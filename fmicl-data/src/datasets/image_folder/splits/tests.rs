//! The folders that people call splits.

use super::super::tests::{error, photo, save, write};
use super::*;
use crate::datasets::ReadLabels;
use fmicl_core::{Dataset, Split};

#[test]
fn a_test_folder_that_is_named_is_not_trained_on() {
    for name in ["holdout", "Test", "VAL"] {
        let folder = tempfile::tempdir().unwrap();
        for (seed, path) in ["cat/1.png", "dog/2.png", "dog/3.png"].into_iter().enumerate() {
            save(photo(9, 9, seed as u32), folder.path().join(path));
        }
        save(photo(9, 9, 7), folder.path().join(name).join("dog/4.png"));
        let dataset = |train: &str, labels, test: &str| ImageFolder {
            root: folder.path().into(),
            train: train.into(),
            labels,
            test: Some(test.into()),
            ..Default::default()
        };
        let lengths =
            |dataset: &ImageFolder| [Split::Train, Split::Test].map(|split| dataset.open(split).unwrap().len());
        assert_eq!(lengths(&dataset("train", ReadLabels::None, name)), [3, 1]);
        assert_eq!(lengths(&dataset(".", ReadLabels::None, &format!("./{name}"))), [3, 1]);
        assert_eq!(lengths(&dataset(".", ReadLabels::Given, name)), [3, 1]);
        assert_eq!(
            dataset(".", ReadLabels::Given, name)
                .open(Split::Train)
                .unwrap()
                .classes(),
            2
        );
        assert_eq!(lengths(&dataset(".", ReadLabels::None, ".")), [4, 4]);
        let within = error(&dataset(".", ReadLabels::None, &format!("{name}/dog")), Split::Train);
        assert!(
            within.contains("dog: `test` names a folder within one to train on; "),
            "{within}"
        );
    }
}

#[test]
fn without_labels_the_root_itself_will_do_where_it_holds_no_split() {
    let folder = tempfile::tempdir().unwrap();
    save(photo(4, 4, 0), folder.path().join("holiday/2024/a.png"));
    save(photo(4, 4, 1), folder.path().join("b.png"));
    let with = |labels| ImageFolder {
        root: folder.path().into(),
        labels,
        ..Default::default()
    };
    let samples = with(ReadLabels::None).open(Split::Train).unwrap();
    assert_eq!((samples.len(), samples.classes()), (2, 0));
    assert!(error(&with(ReadLabels::Given), Split::Train).contains("train: there is no such folder; `root`"));
    // Photos to test on are not trained on.
    save(photo(4, 4, 2), folder.path().join("val/c.png"));
    assert!(
        error(&with(ReadLabels::None), Split::Train)
            .contains(": holds `val`, and neither `train` nor `training`; the option")
    );
}

#[test]
fn the_test_split_is_the_first_folder_that_holds_a_class() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = write(folder.path());
    save(photo(2, 2, 0), folder.path().join("test/1.png"));
    let samples = dataset.open(Split::Test).unwrap();
    let root = folder.path().display();
    let expected = format!("{root}/test: holds no class of training; the test split is `val`");
    assert_eq!((samples.len(), &samples.notes()[0]), (3, &expected));
    std::fs::rename(folder.path().join("val"), folder.path().join("valid")).unwrap();
    assert_eq!(dataset.open(Split::Test).unwrap().len(), 3);
    std::fs::rename(folder.path().join("valid"), folder.path().join("held-out")).unwrap();
    let found = error(&dataset, Split::Test);
    assert!(
        found.contains("test: holds photos where a folder of them for each class is expected"),
        "{found}"
    );
    let named = ImageFolder {
        test: Some("held-out".into()),
        ..dataset
    };
    let samples = named.open(Split::Test).unwrap();
    assert!(
        (samples.len(), samples.notes().len()) == (3, 1),
        "{:?}",
        samples.notes()
    );
}

#[test]
fn splits_have_the_names_that_people_give_them() {
    for (train, test) in [
        ("train", "test"),
        ("training", "testing"),
        ("train", "valid"),
        ("training", "validation"),
        ("training", "val"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let dataset = write(folder.path());
        std::fs::rename(folder.path().join("train"), folder.path().join("x")).unwrap();
        std::fs::rename(folder.path().join("val"), folder.path().join(test)).unwrap();
        std::fs::rename(folder.path().join("x"), folder.path().join(train)).unwrap();
        for (split, name) in [(Split::Train, train), (Split::Test, test)] {
            let samples = dataset.open(split).unwrap();
            assert_eq!((samples.len(), samples.classes()), (3, 2), "{train} {test}");
            assert!(samples.path(0).unwrap().starts_with(folder.path().join(name)));
        }
    }
}

#[test]
fn of_two_labelled_splits_beside_training_the_one_that_is_not_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = write(folder.path());
    save(photo(2, 2, 0), folder.path().join("test/dog/1.png"));
    let samples = dataset.open(Split::Test).unwrap();
    let root = folder.path().display();
    let expected = format!("{root}/val: is not used, since the test split is `test`; `test = \"val\"` tests on it");
    assert_eq!((samples.len(), &samples.notes()[0]), (1, &expected));
    let on_val = ImageFolder {
        test: Some("val".into()),
        ..dataset
    };
    let samples = on_val.open(Split::Test).unwrap();
    assert_eq!((samples.len(), samples.notes().len()), (3, 1), "{:?}", samples.notes());
}

#[test]
fn a_training_split_that_is_missing_is_named_beside_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = write(folder.path());
    std::fs::rename(folder.path().join("train"), folder.path().join("test")).unwrap();
    let found = error(&dataset, Split::Train);
    assert!(
        found.ends_with(
            ": holds `test`, and neither `train` nor `training`; the option `train` names the training split's folder"
        ),
        "{found}"
    );
}

#[test]
fn capitals_in_the_names_of_splits_change_nothing() {
    for (train, test) in [("Train", "Test"), ("TRAINING", "Val"), ("train", "Test")] {
        let folder = tempfile::tempdir().unwrap();
        let dataset = write(folder.path());
        std::fs::rename(folder.path().join("train"), folder.path().join("x")).unwrap();
        std::fs::rename(folder.path().join("val"), folder.path().join(test)).unwrap();
        std::fs::rename(folder.path().join("x"), folder.path().join(train)).unwrap();
        for labels in [ReadLabels::Given, ReadLabels::None] {
            let dataset = ImageFolder {
                root: dataset.root.clone(),
                labels,
                ..ImageFolder::default()
            };
            for (split, name) in [(Split::Train, train), (Split::Test, test)] {
                let samples = dataset.open(split).unwrap();
                assert_eq!(samples.len(), 3, "{train} {test} {labels:?}");
                assert!(samples.path(0).unwrap().starts_with(folder.path().join(name)));
            }
        }
        // Without a training split, its photos are not trained on.
        std::fs::remove_dir_all(folder.path().join(train)).unwrap();
        for labels in [ReadLabels::Given, ReadLabels::None] {
            let dataset = ImageFolder {
                root: dataset.root.clone(),
                labels,
                ..ImageFolder::default()
            };
            let found = error(&dataset, Split::Train);
            assert!(
                found.contains(&format!(": holds `{test}`, and neither `train` nor `training`")),
                "{found}"
            );
        }
    }
}

#[test]
fn folders_of_another_spelling_are_said_not_to_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = write(folder.path());
    for other in ["training/dog/1.png", "Train/dog/1.png", "Val/dog/1.png"] {
        save(photo(2, 2, 0), folder.path().join(other));
    }
    let notes = |split| {
        let notes = dataset.open(split).unwrap().notes();
        let root = format!("{}/", folder.path().display());
        let notes: Vec<_> = notes.into_iter().map(|note| note.replace(&root, "")).collect();
        notes
    };
    let unused = |other: &str, what: &str, taken: &str, option: &str| {
        format!("{other}: is not used, since the {what} split is `{taken}`; `{option} = \"{other}\"` ")
    };
    let train = notes(Split::Train);
    assert!(
        train[0].starts_with(&unused("Train", "training", "train", "train")),
        "{train:?}"
    );
    assert!(
        train[1].starts_with(&unused("training", "training", "train", "train")),
        "{train:?}"
    );
    let test = notes(Split::Test);
    assert!(test[0].starts_with(&unused("Val", "test", "val", "test")), "{test:?}");
}

#[test]
fn a_test_split_beside_the_classes_is_no_class() {
    for test in ["test", "Test", "val"] {
        let folder = tempfile::tempdir().unwrap();
        for path in ["cat/1.png", "dog/2.png", "valid/3.png"] {
            save(photo(9, 9, 0), folder.path().join(path));
        }
        save(photo(9, 9, 7), folder.path().join(test).join("dog/4.png"));
        let dataset = |labels| ImageFolder {
            root: folder.path().into(),
            train: ".".into(),
            labels,
            ..ImageFolder::default()
        };
        let samples = dataset(ReadLabels::Given).open(Split::Train).unwrap();
        // A class may be called as splits are.
        assert_eq!(samples.class_names(), ["cat", "dog", "valid"]);
        assert_eq!(
            (
                samples.len(),
                dataset(ReadLabels::None).open(Split::Train).unwrap().len()
            ),
            (3, 3)
        );
        assert_eq!(dataset(ReadLabels::Given).open(Split::Test).unwrap().len(), 1);
        let notes = samples.notes();
        let expected = format!("{test}: is a test split, and no class: it holds the same classes");
        assert!(notes.len() == 1 && notes[0].ends_with(&expected), "{notes:?}");
    }
}
