//! Python's layout beside the binary one.

use crate::datasets::{Cifar10, Cifar100, files::write};
use fmicl_core::testing::check_dataset;
use fmicl_core::{Dataset, Samples, Split};
use std::path::{Path, PathBuf};

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/cifar");
    std::fs::read(folder.join(name)).unwrap()
}

fn open(root: &Path, split: Split) -> Result<Box<dyn Samples>, String> {
    let dataset = Cifar10 { root: root.into() };
    dataset.open(split).map_err(|error| error.to_string())
}

/// The folder of torchvision's download in `root`, of two images a batch.
fn python(root: &Path) -> PathBuf {
    let folder = root.join("cifar-10-batches-py");
    for batch in [
        "data_batch_1",
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
        "test_batch",
    ] {
        write(&folder.join(batch), &golden("python2.pkl")).unwrap();
    }
    write(&folder.join("batches.meta"), &golden("meta.pkl")).unwrap();
    folder
}

#[test]
fn torchvisions_download_holds_the_same_samples_in_the_same_order() {
    let (folder, binary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let inner = python(folder.path());
    // The records of the same images.
    let record = |image: usize, label: u8| {
        let byte = move |place: usize| ((3 * image + place) % 251) as u8;
        [label].into_iter().chain((0..3072).map(byte)).collect::<Vec<u8>>()
    };
    let records = [record(0, 6), record(1, 9)].concat();
    for batch in [
        "data_batch_1",
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
        "test_batch",
    ] {
        write(&binary.path().join(format!("{batch}.bin")), &records).unwrap();
    }
    for root in [folder.path(), &inner] {
        for split in [Split::Train, Split::Test] {
            let (found, expected) = (open(root, split).unwrap(), open(binary.path(), split).unwrap());
            check_dataset(&*found);
            assert_eq!(found.len(), expected.len());
            assert_eq!(found.portions(), expected.portions());
            for index in 0..found.len() {
                assert_eq!(found.image(index).unwrap(), expected.image(index).unwrap());
                assert_eq!(found.label(index), expected.label(index));
            }
            assert_eq!(found.class_names()[9], "truck");
        }
    }
}

#[test]
fn a_batch_that_is_broken_or_of_something_else_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = python(folder.path()).join("test_batch");
    let whole = golden("python2.pkl");
    let error = |bytes: &[u8]| {
        write(&path, bytes).unwrap();
        open(folder.path(), Split::Test).map(|_| ()).unwrap_err()
    };
    let cut = error(&whole[..5000]);
    assert!(
        cut.contains(
            "test_batch: is no pickle of a dictionary (it ends in the middle); unpack `cifar-10-python.tar.gz`"
        ),
        "{cut}"
    );
    let labels = whole.windows(4).position(|bytes| bytes == b"K\x06K\x09").unwrap();
    let mut broken = whole.clone();
    broken[labels + 3] = 10;
    assert!(error(&broken).contains("test_batch: image 1 has the label 10; labels run from 0 to 9"));
    let fewer = [&whole[..labels], &whole[labels + 2..]].concat();
    assert!(error(&fewer).contains("its `data` has the shape [2, 3072], and [1, 3072] is that of 1 labels"));
    std::fs::remove_file(&path).unwrap();
    let missing = open(folder.path(), Split::Test).map(|_| ()).unwrap_err();
    assert!(
        missing.contains("test_batch: there is no such file; unpack `cifar-10-python.tar.gz` again"),
        "{missing}"
    );
}

#[test]
fn of_cifar_100_both_labels_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("cifar-100-python");
    let text = |text: &[u8]| [&[b'U', text.len() as u8][..], text].concat();
    let whole = golden("python2.pkl");
    // The batch's `labels` as `fine_labels`, and `coarse_labels` beside them.
    let labels = [text(b"labels"), b"q\x04]q\x05(K\x06K\x09e".to_vec()].concat();
    let at = whole.windows(labels.len()).position(|bytes| bytes == labels).unwrap();
    let both = [
        &whole[..at],
        &text(b"fine_labels"),
        b"](K\x06K\x63e",
        &text(b"coarse_labels"),
        b"](K\x13K\x00e",
        &whole[at + labels.len()..],
    ];
    write(&inner.join("train"), &both.concat()).unwrap();
    write(&inner.join("meta"), &golden("meta.pkl")).unwrap();
    for (labels, classes, expected) in [("fine", 100, [6, 99]), ("coarse", 20, [19, 0])] {
        let mut options = crate::datasets::files::root_option(folder.path());
        options.insert("labels".into(), labels.into());
        let dataset: Cifar100 = options.try_into().unwrap();
        let samples = dataset.open(Split::Train).unwrap();
        check_dataset(&*samples);
        assert_eq!(
            (samples.classes(), [samples.label(0), samples.label(1)]),
            (classes, expected)
        );
    }
}
