//! What is found of photos in folders.

use super::*;
use crate::config::load;
use fmicl_core::{Dataset, Part};
use std::path::Path;

/// An experiment on the photos below `folder`, of `image-folder`'s example: a line each for where to and from where.
fn splits(folder: &Path, moves: &[(&str, &str)]) -> (Splits, Vec<String>) {
    splits_with(folder, moves, &[])
}

/// The like, with changes of the experiment.
fn splits_with(folder: &Path, moves: &[(&str, &str)], sets: &[&str]) -> (Splits, Vec<String>) {
    let dataset: Part<dyn Dataset> = Part::new("image-folder", Default::default()).unwrap();
    let root = folder.join("photos");
    dataset.example(&root).unwrap();
    for (from, to) in moves {
        std::fs::create_dir_all(root.join(to).parent().unwrap()).unwrap();
        std::fs::rename(root.join(from), root.join(to)).unwrap();
    }
    let path = folder.join("x.toml");
    let text = format!(
        "dataset = {{ name = 'image-folder', root = {root:?} }}
        backbone = {{ name = 'resnet', stem = 'cifar', width = 8 }}
        architecture = 'simclr'
        objective = 'infonce'
        optimizer = 'sgd'
        train = {{ epochs = 1, batch_size = 8, lr = 0.5 }}"
    );
    std::fs::write(&path, text).unwrap();
    let sets: Vec<_> = sets.iter().map(ToString::to_string).collect();
    let experiment = load(&path, &sets).unwrap();
    let splits = Splits::open_to_train(&experiment).unwrap();
    let notes = splits.notes(&experiment);
    let shown = format!("{}/", root.display());
    (splits, notes.iter().map(|note| note.replace(&shown, "")).collect())
}

#[test]
fn one_class_is_no_label_and_needs_no_test_split() {
    let folder = tempfile::tempdir().unwrap();
    let (splits, notes) = splits(
        folder.path(),
        &[("train/two", "elsewhere/two"), ("test", "elsewhere/test")],
    );
    assert_eq!((splits.pretrain.len(), splits.judge_encoders()), (10, false));
    let left_out = "left out of the evaluation: knn, linear, which need labels";
    assert_eq!(notes, ["all images are of one class, so they have no labels", left_out]);
}

#[test]
fn photos_without_class_folders_train_without_labels() {
    let folder = tempfile::tempdir().unwrap();
    let (splits, notes) = splits(
        folder.path(),
        &[("train/two", "flat"), ("train", "old"), ("flat", "train")],
    );
    assert_eq!((splits.pretrain.len(), splits.judge_encoders()), (10, false));
    let left_out = "left out of the evaluation: knn, linear, which need labels";
    assert_eq!(notes, ["train: photos without class folders have no labels", left_out]);
}

#[test]
fn fewer_labels_are_not_fewer_training_samples_and_no_sample_is_read_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, _) = splits(folder.path(), &[]);
    assert_eq!((whole.test_in_training(), whole.raw_width().unwrap()), (0, Some(3072)));
    let sets = ["dataset.test=train", "eval.train_samples=3", "evaluations.knn.k=1"];
    let folder = tempfile::tempdir().unwrap();
    let (few, _) = splits_with(folder.path(), &[], &sets);
    let names: Vec<_> = few
        .each()
        .iter()
        .map(|(name, samples)| (*name, samples.len()))
        .collect();
    assert_eq!(names, [("train", 20), ("test", 20)]);
    assert_eq!(few.labelled.as_ref().unwrap().train.len(), 3);
    assert_eq!(few.test_in_training(), 20);
}

#[test]
fn a_root_that_is_not_there_is_an_error_of_the_line_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    drop(splits(folder.path(), &[]));
    let error = |sets: &[String]| {
        let experiment = load(&folder.path().join("x.toml"), sets).unwrap();
        let error = Splits::open(&experiment).map(|_| ()).unwrap_err();
        experiment.locate(error).to_string()
    };
    let found = error(&["dataset.root=/no/such".into()]);
    let expected = "--set dataset.root=/no/such: /no/such: there is no such folder; `root` (--set dataset.root=DIR) ";
    assert!(found.starts_with(expected), "{found}");
    let photos = folder.path().join("photos");
    std::fs::rename(&photos, folder.path().join("moved")).unwrap();
    let found = error(&[]);
    let expected = format!(
        "{}:1:36: dataset.root: {}: there is no such folder; ",
        folder.path().join("x.toml").display(),
        photos.display()
    );
    assert!(found.starts_with(&expected), "{found}");
}

#[test]
fn a_misspelt_metric_of_the_best_checkpoint_is_an_error_before_training() {
    let folder = tempfile::tempdir().unwrap();
    drop(splits(folder.path(), &[]));
    let error = |best: &str| {
        let sets = [format!("eval.best={best}"), "eval.every=1".into()];
        let experiment = load(&folder.path().join("x.toml"), &sets).unwrap();
        let found = Splits::open_to_train(&experiment).map(|_| ());
        found.map_err(|error| experiment.locate(error).to_string())
    };
    let known = "there are knn.accuracy, knn.top-5, knn.balanced, linear.accuracy, linear.top-5, linear.balanced";
    assert_eq!(
        error("knn.acc").unwrap_err(),
        format!("--set eval.best=knn.acc: no metric named `knn.acc` (did you mean `knn.accuracy`?); {known}")
    );
    // It takes too long for training to wait.
    let few = error("knn.few-labels").unwrap_err();
    assert!(few.ends_with(known), "{few}");
    for best in ["knn", "linear.balanced"] {
        assert_eq!(error(best), Ok(()));
    }
}

#[test]
fn a_file_of_both_splits_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let (splits, _) = splits_with(folder.path(), &[], &["dataset.test=train"]);
    assert_eq!(splits.distinct(&[3, 4], &[4, 5]), 3);
    assert_eq!(splits.distinct(&[], &[]), 0);
}

#[test]
fn a_class_that_one_split_alone_has_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let (_, notes) = splits(folder.path(), &[("test/two", "elsewhere/two")]);
    let untested = "the test split has no sample of 1 of the 2 classes: `two`; accuracies do not cover them";
    assert!(notes.iter().any(|note| note == untested), "{notes:?}");
    let folder = tempfile::tempdir().unwrap();
    let (_, notes) = splits_with(folder.path(), &[], &["eval.train_samples=1", "evaluations.knn.k=1"]);
    let unlabelled = "the labelled training split has no sample of 1 of the 2 classes: `two`; their test samples are never classified correctly";
    assert!(notes.iter().any(|note| note == unlabelled), "{notes:?}");
}

#[test]
fn neighbours_that_are_all_there_are_are_noted() {
    let noted = |k: usize| {
        let folder = tempfile::tempdir().unwrap();
        let (_, notes) = splits_with(folder.path(), &[], &[&format!("evaluations.knn.k={k}")]);
        notes.into_iter().find(|note| note.starts_with("knn "))
    };
    assert_eq!(noted(19), None);
    for k in [20, 200] {
        let expected = format!(
            "knn with k = {k}: all 20 labelled training samples vote for each test sample, near or far; a smaller \
             evaluations.knn.k tells more"
        );
        assert_eq!(noted(k), Some(expected));
    }
}

#[test]
fn the_notes_of_both_splits_are_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let moves = [
        ("test", "val"),
        ("train/one/0.png", "test/0.png"),
        ("train/one/1.png", "train/one/1.svg"),
        ("val/two/3.png", "val/two/3"),
    ];
    let (splits, notes) = splits(folder.path(), &moves);
    let labelled = splits.labelled.as_ref().unwrap();
    assert_eq!((labelled.train.len(), labelled.test.len()), (18, 7));
    assert_eq!(
        splits.each().iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["train", "test"]
    );
    let read = " (read are .jpg .jpeg .png .ppm .bmp .pgm .tif .tiff .webp .gif .pbm .pnm .jpe .jfif, and .npy where there are none of these)";
    let expected = [
        format!("train: 1 left out: 1 .svg{read}"),
        "test: holds no class of training; the test split is `val`".to_string(),
        format!("val: 1 left out: 1 without an extension{read}"),
        "knn with k = 200: all 18 labelled training samples vote for each test sample, near or far; a smaller \
         evaluations.knn.k tells more"
            .to_string(),
    ];
    assert_eq!(notes, expected);
}
