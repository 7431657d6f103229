//! The laws of a dataset's files, whole and broken.

use super::check_dataset;
use crate::{Dataset, Error, Part, Samples, Split};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

const SPLITS: [Split; 3] = [Split::Pretrain, Split::Train, Split::Test];

/// Writes the example of the dataset that is registered as `name` to `folder`, which is empty, and checks it:
/// [`check_dataset`] on each split, the counts that [`Dataset::example`] promises, and that pre-training sees the
/// training images unless the dataset has unlabelled ones. Then breaks each of the example's files in turn, in a way that
/// `seed` decides: it removes the file, cuts it off, or flips one of its bits. Every split must then give an error that
/// names a path in `folder`, when it is opened or for an image, or images and labels that are sound.
///
/// # Panics
/// With the law that is broken, the file and what was done to it.
pub fn check_dataset_files(name: &str, folder: &Path, seed: u64) {
    let fresh = |options| Part::<dyn Dataset>::new(name, options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let options = fresh(toml::Table::new()).example(folder);
    let dataset = fresh(options.unwrap_or_else(|error| panic!("the example of {name}: {error}")));
    check_whole(&*dataset);

    let mut random = Random(seed);
    for path in files(folder) {
        let whole = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if whole.is_empty() {
            continue;
        }
        let damage = damage(&path, &whole, &mut random);
        let checked = catch_unwind(AssertUnwindSafe(|| {
            SPLITS.map(|split| check_broken(&*dataset, split, folder))
        }));
        if checked.is_err() {
            panic!("{name} breaks a law (above) where {} is {damage}", path.display());
        }
        std::fs::write(&path, whole).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

fn check_whole(dataset: &dyn Dataset) {
    let [pretrain, train, test] = SPLITS.map(|split| {
        let samples = dataset.open(split);
        samples.unwrap_or_else(|error| panic!("the example's {split:?} does not open: {error}"))
    });
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
        match samples.image(index) {
            Ok(image) => {
                let bytes = image.width * image.height * 3;
                assert!(
                    bytes >= 1 && image.pixels.len() == bytes,
                    "sample {index} has not the pixels of its size"
                );
            }
            Err(error) => check_error(&error, folder),
        }
    }
}

fn check_error(error: &Error, folder: &Path) {
    let (Error::Data { path, .. } | Error::Io { path, .. }) = error else {
        panic!("a broken file is no fault of the config or of libtorch: {error}")
    };
    assert!(path.starts_with(folder), "the error does not name the path: {error}");
}

/// All files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        // An example without files.
        return vec![];
    };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push(path)
        }
    }
    found.sort();
    found
}

/// Breaks the file, which is not empty, and says how.
fn damage(path: &Path, whole: &[u8], random: &mut Random) -> String {
    let failed = |error: std::io::Error| panic!("{}: {error}", path.display());
    let length = whole.len() as u64;
    // Headers and ends are hit as often as all that lies between.
    let at = match random.below(3) {
        0 => random.below(length.min(64)),
        1 => length.saturating_sub(1 + random.below(64)),
        _ => random.below(length),
    } as usize;
    match random.below(8) {
        0 => {
            std::fs::remove_file(path).unwrap_or_else(failed);
            "missing".into()
        }
        1..=3 => {
            std::fs::write(path, &whole[..at]).unwrap_or_else(failed);
            format!("cut off after {at} bytes")
        }
        _ => {
            let (mut broken, bit) = (whole.to_vec(), random.below(8));
            broken[at] ^= 1 << bit;
            std::fs::write(path, broken).unwrap_or_else(failed);
            format!("broken at byte {at}, bit {bit}")
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
struct Random(u64);

impl Random {
    /// A number from 0 to `bound - 1`, and 0 for a bound of 0.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }
}
