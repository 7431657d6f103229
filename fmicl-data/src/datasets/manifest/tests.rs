use super::*;
use crate::datasets::files::root_option;
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
fn what_is_wrong_is_said_with_its_line() {
    let one = "path,label,split\nphotos/0.png,a,train\n";
    let cases: [(&str, String, &str); 17] = [
        ("x.csv", "".into(), "x.csv: is empty; a first row names its columns"),
        (
            "x.jsonl",
            "\n".into(),
            "x.jsonl: is empty; an object a line is expected",
        ),
        (
            "x.csv",
            "image,label\na,b\n".into(),
            "x.csv: line 1: has the columns image, label, and no `path`; the option `path` names the one that is meant",
        ),
        (
            "x.csv",
            "path,path\n".into(),
            "x.csv: line 1: two columns are called `path`",
        ),
        (
            "x.csv",
            "path\n".into(),
            "x.csv: has no row of the split `train`; there are 0 of `train`, 0 of `val`, 0 of `test`",
        ),
        (
            "x.csv",
            "path,weight\nphotos/0.png,2\n".into(),
            "x.csv: line 1: has a column `weight`, but samples are not weighted: each is drawn once an epoch; remove the column or rename it",
        ),
        (
            "x.jsonl",
            "{\"path\": \"photos/0.png\"}\n{\"path\": \"photos/1.png\", \"weight\": 2}\n".into(),
            "x.jsonl: line 2: has a column `weight`, but samples are not weighted: each is drawn once an epoch; remove the column or rename it",
        ),
        (
            "x.csv",
            format!("{one}\nphotos/1.png,b\n"),
            "x.csv: line 4: has 2 fields where the first row has 3",
        ),
        (
            "x.csv",
            format!("{one}photos/1.png,b,tset\n"),
            "x.csv: line 3: the split `tset` is none of train, val and test",
        ),
        (
            "x.csv",
            format!("{one}photos/1.png,b,\n"),
            "x.csv: line 3: the split `` is none of train, val and test",
        ),
        (
            "x.csv",
            format!("{one}photos/1.png,b,val\n./photos/0.png,b,test\n"),
            "x.csv: line 4: `./photos/0.png` is on line 2 already",
        ),
        ("x.csv", format!("{one},b,train\n"), "x.csv: line 3: has no `path`"),
        (
            "x.csv",
            format!("{one}photos/1.png,,train\n"),
            "x.csv: line 3: has no label, and others do; `label = \"\"` reads the list without labels",
        ),
        (
            "x.jsonl",
            "{\"path\": 1.5}\n".into(),
            "x.jsonl: line 1: its `path` is 1.5, neither a text nor a whole number",
        ),
        (
            "x.jsonl",
            "{\"path\": \"photos/0.png\"}\n[1]\n".into(),
            "x.jsonl: line 2: is no JSON object (invalid type: sequence, expected a map, at character 0)",
        ),
        (
            "x.csv",
            "path\nphotos\n".into(),
            "x.csv: line 2: there is no file `photos` in ",
        ),
        (
            "x.csv",
            "path\nphotos/..\n".into(),
            "x.csv: line 2: `photos/..` is not the path of a file",
        ),
    ];
    for (name, list, expected) in cases {
        let (_folder, dataset) = with(name, &list);
        let found = error(&dataset, Split::Train);
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    let (folder, dataset) = with("x.csv", &format!("{one}photos/nine.png,b,train\n"));
    let here = folder.path().display();
    let expected =
        format!("x.csv: line 3: there is no file `photos/nine.png` in {here} (the option `root` names another folder)");
    assert_eq!(error(&dataset, Split::Train), expected);
    write(&dataset.file, b"path\nelsewhere/0.png\n").unwrap();
    let found = error(&dataset, Split::Train);
    assert!(
        found.contains("line 2: there is no file `elsewhere/0.png` in ") && found.contains("elsewhere: No such file"),
        "{found}"
    );
    write(
        &dataset.file,
        &[b"path\nphotos/".as_slice(), &[0xe9], b".png\n"].concat(),
    )
    .unwrap();
    assert_eq!(
        error(&dataset, Split::Train),
        "x.csv: is no text in UTF-8: save it as that"
    );
}

#[test]
fn a_file_is_named_once_however_it_is_spelt() {
    let (folder, dataset) = with("x.csv", "");
    std::os::unix::fs::symlink("photos", folder.path().join("link")).unwrap();
    let absolute = folder.path().join("photos/0.png").display().to_string();
    for other in ["photos/../photos/0.png", "./link/0.png", "photos//./0.png", &absolute] {
        let list = format!("path,split\nphotos/0.png,train\n{other},test\n");
        write(&dataset.file, list.as_bytes()).unwrap();
        let expected = format!("x.csv: line 3: `{other}` is on line 2 already");
        assert_eq!(
            dataset.open(Split::Train).map(|_| ()).unwrap_err().to_string(),
            folder.path().join(expected).display().to_string()
        );
    }
    // Of folders that are not there, it is said of the split that has them.
    let list = "path,split\nphotos/0.png,train\nno/../gone/0.png,test\ngone/0.png,test\n";
    write(&dataset.file, list.as_bytes()).unwrap();
    assert_eq!(
        error(&dataset, Split::Train),
        "x.csv: line 4: `gone/0.png` is on line 3 already"
    );
}

#[test]
fn a_row_of_json_without_its_split_is_no_training_row() {
    let with_split = "{\"path\": \"photos/0.png\", \"split\": \"train\"}\n";
    let cases = [
        (
            "{\"path\": \"photos/1.png\"}\n",
            "line 2: has no `split`, and others do",
        ),
        (
            "{\"path\": \"photos/1.png\", \"Split\": \"test\"}\n",
            "line 2: has no `split`, and others do",
        ),
        (
            "{\"path\": \"photos/1.png\", \"split\": null}\n",
            "line 2: its `split` is null, and none of train, val and test",
        ),
        (
            "{\"path\": \"photos/1.png\", \"split\": \"\"}\n",
            "line 2: the split `` is none of train, val and test",
        ),
    ];
    for (row, expected) in cases {
        let (_folder, dataset) = with("x.jsonl", &format!("{with_split}{row}"));
        assert_eq!(error(&dataset, Split::Train), format!("x.jsonl: {expected}"));
    }
    let other_case = "line 1: has a column `Split` and no `split`; rename it, or set `split = \"Split\"`";
    let rows = [
        ("x.jsonl", "{\"path\": \"photos/1.png\", \"Split\": \"test\"}\n"),
        ("x.csv", "path,Split\nphotos/1.png,test\n"),
    ];
    for (name, list) in rows {
        let (_folder, dataset) = with(name, list);
        assert_eq!(error(&dataset, Split::Train), format!("{name}: {other_case}"));
    }
    // Keys that are not read are those of all rows.
    let (_folder, dataset) = with(
        "x.jsonl",
        &format!(
            "{with_split}{}",
            with_split.replace('0', "1").replace("{", "{\"author\": 1, ")
        ),
    );
    let notes = dataset.open(Split::Train).unwrap().notes();
    assert!(notes[0].ends_with("columns that are not read: author"), "{notes:?}");
}

#[test]
fn options_that_cannot_be_are_named() {
    let none = Manifest::default()
        .open(Split::Train)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert_eq!(
        none,
        "file: is missing: set it to a .csv, .tsv or .jsonl file with a column `path`"
    );
    let (_folder, dataset) = with("x.txt", "path\n");
    assert!(error(&dataset, Split::Train).ends_with("x.txt: ends in none of .csv, .tsv and .jsonl"));
    let missing = Manifest {
        file: "/nowhere/x.csv".into(),
        ..Default::default()
    };
    assert_eq!(
        missing.open(Split::Train).map(|_| ()).unwrap_err().to_string(),
        "/nowhere/x.csv: there is no such file; `file` names a list of photos"
    );
    let (_folder, dataset) = with("x.csv", "path,label\n");
    let asked_for = Manifest {
        label: "class".into(),
        ..dataset
    };
    let expected =
        "x.csv: line 1: has the columns path, label, and no `class`; the option `label` names the one that is meant";
    assert_eq!(error(&asked_for, Split::Train), expected);
    let mut options = root_option(Path::new("/nowhere"));
    options.insert("test".into(), "dev".into());
    assert!(options.try_into::<Manifest>().is_err());
}
