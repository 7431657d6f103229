//! Flat folders of validation photos, beside the lists that people have.

use crate::datasets::ImageNet;
use crate::datasets::files::write;
use crate::datasets::mat::{Value, write_mat};
use fmicl_core::testing::check_dataset;
use fmicl_core::{Dataset, Samples, Split};
use std::path::{Path, PathBuf};

/// The label and the file's name of each sample.
type Found = Vec<(usize, String)>;

/// The example with its validation photos in class folders: what is found there.
fn sorted(folder: &Path) -> Found {
    ImageNet::default().example(folder).unwrap();
    found(&*open(folder).unwrap())
}

/// The same with the photos moved out of their class folders.
fn flat(folder: &Path) -> Found {
    let expected = sorted(folder);
    let val = folder.join("val");
    for wnid in ["n01440764", "n01443537"] {
        for entry in std::fs::read_dir(val.join(wnid)).unwrap() {
            let path = entry.unwrap().path();
            std::fs::rename(&path, val.join(path.file_name().unwrap())).unwrap();
        }
        std::fs::remove_dir(val.join(wnid)).unwrap();
    }
    expected
}

fn found(samples: &dyn Samples) -> Found {
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_string();
    let one = |index| (samples.label(index), name(samples.path(index).unwrap()));
    (0..samples.len()).map(one).collect()
}

fn open(root: &Path) -> Result<Box<dyn Samples>, String> {
    let dataset = ImageNet {
        root: root.into(),
        ..Default::default()
    };
    dataset.open(Split::Test).map_err(|error| error.to_string())
}

/// Kaggle's list of the example's photos, and of more that are not there.
const LIST: &str = "ImageId,PredictionString
ILSVRC2012_val_00000008,n01443537 1 2 3 4 
ILSVRC2012_val_00000001,n01440764 1 2 3 4 n01440764 5 6 7 8 
ILSVRC2012_val_00000002,n01443537 1 2 3 4 
ILSVRC2012_val_00000003,n01440764 1 2 3 4 
ILSVRC2012_val_00000004,n01443537 1 2 3 4 
ILSVRC2012_val_00000005,n01440764 1 2 3 4 
ILSVRC2012_val_00000006,n01443537 1 2 3 4 
ILSVRC2012_val_00000007,n01440764 1 2 3 4 
ILSVRC2012_val_00000009,n09999999 1 2 3 4 
";

#[test]
fn kaggles_layout_is_read_as_it_unpacks_from_every_folder_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let splits = folder.path().join("imagenet/ILSVRC/Data/CLS-LOC");
    let expected = flat(&splits);
    write(&folder.path().join("imagenet/LOC_val_solution.csv"), LIST.as_bytes()).unwrap();
    for root in ["", "imagenet", "imagenet/ILSVRC", "imagenet/ILSVRC/Data/CLS-LOC"] {
        let samples = open(&folder.path().join(root)).unwrap();
        assert_eq!(found(&*samples), expected, "{root}");
        check_dataset(&*samples);
        let notes = samples.notes();
        assert!(notes[0].ends_with("/imagenet/LOC_val_solution.csv"), "{notes:?}");
        assert!(
            notes.len() == 2 && notes[1].ends_with("LOC_val_solution.csv names are not there"),
            "{notes:?}"
        );
    }
}

#[test]
fn the_devkits_labels_are_read() {
    for devkit in ["ILSVRC2012_devkit_t12/data", ""] {
        let folder = tempfile::tempdir().unwrap();
        let expected = flat(folder.path());
        let devkit = folder.path().join(devkit);
        // Numbers of its own, not in the order of the WNIDs.
        let synset = |number: f64, wnid: &str| [Value::Numbers(vec![number]), Value::Text(wnid.into())];
        let values = [
            synset(1.0, "n01443537"),
            synset(2.0, "n01440764"),
            synset(3.0, "n00001740"),
        ];
        let synsets = Value::Structs {
            fields: vec!["ILSVRC2012_ID".into(), "WNID".into()],
            values: values.concat(),
        };
        write_mat(&devkit.join("meta.mat"), &[("synsets", synsets)]).unwrap();
        let truth = devkit.join("ILSVRC2012_validation_ground_truth.txt");
        write(&truth, b"2\n1\n2\n1\n2\n1\n2\n1\n").unwrap();
        let samples = open(folder.path()).unwrap();
        assert_eq!(found(&*samples), expected);
        write(&truth, b"2\n1\n4\n").unwrap();
        let error = open(folder.path()).map(|_| ()).unwrap_err();
        assert!(
            error.ends_with("line 3: `4` is not the number of a class in meta.mat"),
            "{error}"
        );
        std::fs::remove_file(devkit.join("meta.mat")).unwrap();
        let error = open(folder.path()).map(|_| ()).unwrap_err();
        assert!(
            error.contains("meta.mat: there is no such file; get it again"),
            "{error}"
        );
    }
}

#[test]
fn photos_of_classes_that_are_not_trained_on_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let expected = flat(folder.path());
    write(&folder.path().join("LOC_val_solution.csv"), LIST.as_bytes()).unwrap();
    write(&folder.path().join("val/ILSVRC2012_val_00000009.JPEG"), b"").unwrap();
    let samples = open(folder.path()).unwrap();
    assert_eq!(found(&*samples), expected);
    let notes = samples.notes();
    assert!(
        notes[1].ends_with("val: 1 left out, whose classes are not among the 2 of training"),
        "{notes:?}"
    );
}

#[test]
fn lists_and_photos_must_agree() {
    let folder = tempfile::tempdir().unwrap();
    flat(folder.path());
    let error = |list: &str| {
        write(&folder.path().join("LOC_val_solution.csv"), list.as_bytes()).unwrap();
        open(folder.path()).map(|_| ()).unwrap_err()
    };
    let one = "ILSVRC2012_val_00000001,n01440764 1 2 3 4\n";
    let cases = [
        (one.to_string(), "ILSVRC2012_val_00000002.JPEG: is not named in "),
        (
            format!("{one}{one}"),
            "line 2: `ILSVRC2012_val_00000001` has been named before",
        ),
        (
            "a,b\n".into(),
            "line 1: `a,b` is not a photo, a comma and a class such as n01440764",
        ),
        ("x".into(), "line 1: `x` is not a photo, a comma and a class"),
        (
            LIST.replace("n0144", "n0999"),
            "val: holds no photo of the 2 classes of training, by ",
        ),
    ];
    for (list, expected) in cases {
        let error = error(&list);
        assert!(error.contains(expected), "{error}");
    }
}
