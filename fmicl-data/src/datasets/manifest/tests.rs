mod wrong;

use super::*;
use fmicl_core::testing::check_dataset;

/// Photos `0.png` to `9.png` in `photos`, and a list of this name and content beside that folder.
fn with(name: &str, list: &str) -> (tempfile::TempDir, Manifest) {
    let folder = tempfile::tempdir().unwrap();
    for photo in 0..10 {
        write_photo(&folder.path().join(format!("photos/{photo}.png")), 0, photo).unwrap();
    }
    let file = folder.path().join(name);
    write(&file, list.as_bytes()).unwrap();
    let dataset = Manifest {
        file,
        ..Default::default()
    };
    (folder, dataset)
}

/// The name of the file, the label and the class' name of each sample.
fn found(dataset: &Manifest, split: Split) -> Vec<(String, usize, String)> {
    let samples = dataset.open(split).unwrap();
    check_dataset(&*samples);
    let names = samples.class_names();
    let one = |index| {
        let path = samples.path(index).unwrap();
        let label = samples.label(index);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, label, names.get(label).cloned().unwrap_or_default())
    };
    (0..samples.len()).map(one).collect()
}

fn row(name: &str, label: usize, class: &str) -> (String, usize, String) {
    (name.into(), label, class.into())
}

fn error(dataset: &Manifest, split: Split) -> String {
    let shown = format!("{}/", dataset.file.parent().unwrap().display());
    let error = dataset.open(split).map(|_| ()).unwrap_err();
    error.to_string().replace(&shown, "")
}

const CSV: &str = "\u{feff}label,path,author,split
dog,\"photos/0.png\",\"a, b\",train

cat,./photos/1.png,,Training
cat,photos/3.png,c,val
dog,photos/2.png,c,test
";

#[test]
fn every_format_says_the_same() {
    let tabs = "label\tpath\tauthor\tsplit\ndog\tphotos/0.png\t\"\ttrain\ncat\tphotos/1.png\t\ttraining\n\ncat\tphotos/3.png\t\tdev\ndog\tphotos/2.png\t\ttest\n";
    let json = r#"{"path": "photos/0.png", "label": "dog", "split": "train", "author": {"x": 1}}
        {"path": "photos/1.png", "label": "cat", "split": "train"}

        {"path": "photos/3.png", "label": "cat", "split": "validation"}
        {"path": "photos/2.png", "label": "dog", "split": "testing"}"#;
    for (name, list) in [("x.csv", CSV), ("x.TSV", tabs), ("x.jsonl", json)] {
        let (_folder, dataset) = with(name, list);
        assert_eq!(
            found(&dataset, Split::Train),
            [row("0.png", 1, "dog"), row("1.png", 0, "cat")],
            "{name}"
        );
        assert_eq!(found(&dataset, Split::Test), [row("2.png", 1, "dog")], "{name}");
        let notes = dataset.open(Split::Test).unwrap().notes().join("\n");
        assert!(
            notes.contains(
                "its rows of `val` are not used, since the test split is `test`; `test = \"val\"` tests on them"
            ),
            "{notes}"
        );
        assert!(notes.ends_with("columns that are not read: author"), "{notes}");
        let on_val = Manifest {
            test: Some(Part::Val),
            ..dataset
        };
        assert_eq!(found(&on_val, Split::Test), [row("3.png", 0, "cat")], "{name}");
    }
}

#[test]
fn whole_numbers_are_classes_in_their_order_in_both_splits() {
    let list = "path,label,split\nphotos/0.png,10,train\nphotos/1.png,2,train\nphotos/2.png,7,test\n";
    let json = r#"{"path": "photos/0.png", "label": 10, "split": "train"}
        {"path": "photos/1.png", "label": "2", "split": "train"}
        {"path": "photos/2.png", "label": 7, "split": "test"}"#;
    for (name, list) in [("x.csv", list), ("x.jsonl", json)] {
        let (_folder, dataset) = with(name, list);
        assert_eq!(
            found(&dataset, Split::Train),
            [row("0.png", 2, "10"), row("1.png", 0, "2")]
        );
        assert_eq!(found(&dataset, Split::Test), [row("2.png", 1, "7")]);
    }
}

#[test]
fn columns_have_the_names_that_the_options_give_them() {
    let (folder, dataset) = with(
        "x.csv",
        "image,class,fold,path\n0.png,b,train,x\n1.png,a,test,y\n2.png,b,test,z\n",
    );
    let named = Manifest {
        root: Some(folder.path().join("photos")),
        path: "image".into(),
        label: "class".into(),
        split: "fold".into(),
        ..dataset
    };
    assert_eq!(found(&named, Split::Train), [row("0.png", 1, "b")]);
    assert_eq!(found(&named, Split::Test), [row("1.png", 0, "a"), row("2.png", 1, "b")]);
    let unlabelled = Manifest {
        label: String::new(),
        split: String::new(),
        ..named
    };
    assert_eq!(unlabelled.open(Split::Train).unwrap().classes(), 0);
    assert_eq!(found(&unlabelled, Split::Train).len(), 3);
}

#[test]
fn paths_may_be_absolute_and_lead_anywhere() {
    let (folder, dataset) = with("lists/x.csv", "");
    let absolute = folder.path().join("photos/1.png");
    write(
        &dataset.file,
        format!("path\n../photos/0.png\n{}\n", absolute.display()).as_bytes(),
    )
    .unwrap();
    let samples = dataset.open(Split::Pretrain).unwrap();
    check_dataset(&*samples);
    assert_eq!((samples.len(), samples.classes()), (2, 0));
    assert_eq!(samples.path(1).unwrap(), absolute);
    let notes = samples.notes();
    assert!(
        notes.len() == 1 && notes[0].ends_with("x.csv: its rows have no labels"),
        "{notes:?}"
    );
}

#[test]
fn a_test_split_without_labels_is_passed_over_and_said() {
    let list = "path,label,split\nphotos/0.png,a,train\nphotos/1.png,b,train\nphotos/2.png,,test\nphotos/3.png,b,val\n";
    let (_folder, dataset) = with("x.csv", list);
    assert_eq!(found(&dataset, Split::Test), [row("3.png", 1, "b")]);
    let notes = dataset.open(Split::Test).unwrap().notes();
    assert!(
        notes[0].ends_with("its rows of `test` have no labels; the test split is `val`"),
        "{notes:?}"
    );
    let (_folder, dataset) = with("x.csv", &list.replace("b,val", ",val"));
    assert!(
        error(&dataset, Split::Test)
            .starts_with("x.csv: has no row of the split `test` or `val` with a label; `test = ")
    );
}

#[test]
fn the_fingerprint_has_paths_and_labels_and_not_the_place() {
    let of = |list: &str| {
        let (_folder, dataset) = with("x.csv", list);
        dataset.open(Split::Train).unwrap().portions()
    };
    let list = "path,label\nphotos/0.png,a\nphotos/1.png,b\n";
    assert_eq!(of(list), of(list));
    assert_eq!(of(list), of("label,path,x\na,photos/0.png,\nb,photos/1.png,\n"));
    assert_ne!(of(list), of("path,label\nphotos/0.png,a\nphotos/1.png,a\n"));
    assert_ne!(of(list), of("path,label\nphotos/1.png,b\nphotos/0.png,a\n"));
}

#[test]
fn semicolons_tabs_and_bars_separate_columns_too_and_it_is_said() {
    for (name, separator) in [
        ("x.csv", ";"),
        ("x.csv", "|"),
        ("x.csv", "\t"),
        ("x.tsv", ";"),
        ("x.tsv", ","),
    ] {
        let list = "label,path,split\ndog,photos/0.png,train\ncat,photos/1.png,train\n".replace(',', separator);
        let (_folder, dataset) = with(name, &list);
        assert_eq!(
            found(&dataset, Split::Train),
            [row("0.png", 1, "dog"), row("1.png", 0, "cat")],
            "{name} {separator:?}"
        );
        let notes = dataset.open(Split::Train).unwrap().notes();
        let expected = format!(
            "{name}: its fields are separated by {:?}",
            separator.chars().next().unwrap()
        );
        assert!(notes.len() == 1 && notes[0].ends_with(&expected), "{notes:?}");
    }
}

#[test]
fn weights_are_those_of_the_rows_to_train_on() {
    let list =
        "path,weight,split\nphotos/0.png,4,train\nphotos/1.png,1.5,train\nphotos/2.png,0,train\nphotos/3.png,0,test\n";
    let (_folder, dataset) = with("x.csv", list);
    let weights = |dataset: &Manifest, split| -> Vec<f64> {
        let samples = dataset.open(split).unwrap();
        (0..samples.len()).map(|index| samples.weight(index)).collect()
    };
    assert_eq!(weights(&dataset, Split::Pretrain), [4.0, 1.5, 0.0]);
    assert_eq!(weights(&dataset, Split::Test), [1.0]);
    let train = dataset.open(Split::Pretrain).unwrap();
    check_dataset(&*train);
    let notes = train.notes().join("\n");
    assert!(
        notes.contains("x.csv: an epoch of all photos draws 1 of the 3, by their `weight`"),
        "{notes}"
    );
    // A run does not go on with other weights.
    let portions = train.portions();
    let without = Manifest {
        weight: String::new(),
        ..dataset
    };
    assert_eq!(weights(&without, Split::Pretrain), [1.0; 3]);
    let train = without.open(Split::Pretrain).unwrap();
    assert_ne!(train.portions(), portions);
    let notes = train.notes().join("\n");
    assert!(notes.contains("columns that are not read: weight"), "{notes}");
}
