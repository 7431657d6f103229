//! The laws of a dataset's files, whole and broken.

use super::{break_each_file, check_dataset};
use crate::{Dataset, Error, Modality, Part, Samples, Split};
use std::path::Path;

const SPLITS: [Split; 3] = [Split::Pretrain, Split::Train, Split::Test];

/// Writes the example of the dataset that is registered as `name` to `folder`, which is empty, and checks it:
/// [`check_dataset`] on each split (without labels there is [`Split::Pretrain`] alone), the counts that
/// [`Dataset::example`] promises, and that pre-training sees the training samples unless the dataset has unlabelled ones.
/// Then breaks its files as [`break_each_file`] does: every split must give an error that names a path in `folder`, when
/// it is opened or for a sample, or samples and labels that are sound.
///
/// # Panics
/// With the law that is broken, the file and what was done to it.
pub fn check_dataset_files(name: &str, folder: &Path, seed: u64) {
    let fresh = |options| Part::<dyn Dataset>::new(name, options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let options = fresh(toml::Table::new()).example(folder);
    let dataset = fresh(options.unwrap_or_else(|error| panic!("the example of {name}: {error}")));
    if dataset.is_labelled() {
        check_whole(&*dataset);
    } else {
        let samples = open(&*dataset, Split::Pretrain);
        check_dataset(&*samples);
        assert!(samples.len() >= 16, "an example has at least 16 training samples");
        assert_eq!(samples.classes(), 0, "a dataset without labels has no classes");
    }
    break_each_file(folder, seed, || {
        check_damaged_dataset(&*dataset, folder);
    });
}

/// Checks a dataset whose files below `folder` may hold anything: every split must give an error that names a path in
/// `folder`, when it is opened or for a sample, or samples and labels that are sound.
///
/// # Panics
/// With the law that is broken.
pub fn check_damaged_dataset(dataset: &dyn Dataset, folder: &Path) {
    let splits = if dataset.is_labelled() {
        &SPLITS[..]
    } else {
        &[Split::Pretrain]
    };
    splits.iter().for_each(|&split| check_broken(dataset, split, folder));
}

fn open(dataset: &dyn Dataset, split: Split) -> Box<dyn Samples> {
    let samples = dataset.open(split);
    samples.unwrap_or_else(|error| panic!("the example's {split:?} does not open: {error}"))
}

fn check_whole(dataset: &dyn Dataset) {
    let [pretrain, train, test] = SPLITS.map(|split| open(dataset, split));
    for samples in [&pretrain, &train, &test] {
        check_dataset(&**samples);
    }
    assert!(
        train.len() >= 16 && pretrain.len() >= 16,
        "an example has at least 16 training images"
    );
    assert!(test.len() >= 4, "an example has at least 4 test images");
    assert!(train.classes() >= 1, "the training split has no classes");
    assert_eq!(
        train.classes(),
        test.classes(),
        "training and test differ in the number of classes"
    );
    if !dataset.has_unlabelled() {
        assert_eq!(
            pretrain.len(),
            train.len(),
            "without unlabelled images, pre-training sees those of training"
        );
        for index in 0..train.len() {
            let same =
                pretrain.image(index).ok() == train.image(index).ok() && pretrain.label(index) == train.label(index);
            assert!(
                same,
                "without unlabelled images, pre-training sees those of training, but not as sample {index}"
            );
        }
    }
}

fn check_broken(dataset: &dyn Dataset, split: Split, folder: &Path) {
    let samples: Box<dyn Samples> = match dataset.open(split) {
        Ok(samples) => samples,
        Err(error) => return check_error(&error, folder),
    };
    let classes = samples.classes().max(1);
    for index in 0..samples.len() {
        assert!(
            samples.label(index) < classes,
            "the label of sample {index} is out of range"
        );
        let sound = match dataset.modality() {
            Modality::Images => samples.image(index).map(|image| {
                let bytes = image.width * image.height * 3;
                bytes >= 1 && image.pixels.len() == bytes
            }),
            Modality::Texts => samples.texts(index).map(|texts| (1..=3).contains(&texts.len())),
        };
        match sound {
            Ok(sound) => assert!(
                sound,
                "sample {index} has not the pixels of its size, or not one to three texts"
            ),
            Err(error) => check_error(&error, folder),
        }
    }
}

/// Checks that an error about a file below `folder` names a path there.
pub(super) fn check_error(error: &Error, folder: &Path) {
    let (Error::Data { path, .. } | Error::Io { path, .. }) = error else {
        panic!("a broken file is no fault of the config or of libtorch: {error}")
    };
    assert!(path.starts_with(folder), "the error does not name the path: {error}");
}
