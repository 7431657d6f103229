//! Lists in which something is wrong.

use super::*;
use crate::datasets::files::root_option;

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let one = "path,label,split\nphotos/0.png,a,train\n";
    let cases: [(&str, String, &str); 22] = [
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
            "path,weight\nphotos/0.png,-2\n".into(),
            "x.csv: line 2: its `weight` is `-2`, and not a number from 0",
        ),
        (
            "x.jsonl",
            "{\"path\": \"photos/0.png\"}\n{\"path\": \"photos/1.png\", \"weight\": 2}\n".into(),
            "x.jsonl: line 1: has no `weight`, and others do; `weight = \"\"` reads the list without weights",
        ),
        (
            "x.jsonl",
            "{\"path\": \"photos/0.png\", \"weight\": null}\n".into(),
            "x.jsonl: line 1: its `weight` is `null`, and not a number from 0",
        ),
        (
            "x.csv",
            "path,weight\nphotos/0.png,\nphotos/1.png,1\n".into(),
            "x.csv: line 2: has no `weight`, and others do; `weight = \"\"` reads the list without weights",
        ),
        (
            "x.csv",
            "path,weight\nphotos/0.png,0\nphotos/1.png,0.0\n".into(),
            "x.csv: no row to train on has a `weight` above 0, so that none would be drawn",
        ),
        (
            "x.csv",
            "path,Weight\nphotos/0.png,1\n".into(),
            "x.csv: line 1: has a column `Weight` and no `weight`; rename it, or set `weight = \"Weight\"`",
        ),
        (
            "x.csv",
            "path,weights\nphotos/0.png,1\n".into(),
            "x.csv: line 1: has a column `weights` and no `weight`; rename it, or set `weight = \"weights\"`",
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
        "x.csv: line 2 is not UTF-8; convert the file, such as with `iconv -f latin1 -t utf-8`"
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

#[test]
fn a_list_of_another_encoding_is_named_with_what_converts_it() {
    let (_folder, dataset) = with("x.csv", "");
    let of = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let list = "path,label\nphotos/0.png,a\n";
    write(&dataset.file, &of(&format!("\u{feff}{list}"))).unwrap();
    assert_eq!(
        error(&dataset, Split::Train),
        "x.csv: is UTF-16, by its byte-order mark, not UTF-8; convert the file: `iconv -f utf-16 -t utf-8`"
    );
    write(&dataset.file, &of(list)).unwrap();
    let found = error(&dataset, Split::Train);
    assert!(
        found.starts_with("x.csv: line 1 is not UTF-8, and looks like UTF-16LE "),
        "{found}"
    );
}

#[test]
fn files_that_are_not_there_are_counted_in_all_splits() {
    let rows = |count: usize| {
        let row = |n: usize| {
            format!(
                "gone/{n}.png,a,{}\n",
                if n.is_multiple_of(2) { "train" } else { "test" }
            )
        };
        (0..count).map(row).collect::<String>()
    };
    let there = "path,label,split\nphotos/0.png,a,train\nphotos/1.png,a,test\n";
    let found = |count| {
        let (_folder, dataset) = with("x.csv", &format!("{there}{}", rows(count)));
        error(&dataset, Split::Train)
    };
    assert!(found(1).starts_with("x.csv: line 4: there is no file `gone/0.png` in ") && !found(1).contains("of 3"));
    let two = found(2);
    assert!(two.ends_with("; 2 of 4 files are not there: also of lines 5"), "{two}");
    let many = found(20);
    assert!(
        many.starts_with("x.csv: line 4: there is no file `gone/0.png` in "),
        "{many}"
    );
    assert!(
        many.ends_with("; 20 of 22 files are not there: also of lines 5, 6, 7, 8 and 15 more"),
        "{many}"
    );
    // What is not trained on is not looked for.
    let (_folder, dataset) = with("x.csv", &format!("{there}gone/1.png,a,test\n"));
    assert_eq!(dataset.open(Split::Train).unwrap().len(), 1);
}

#[test]
fn labels_without_splits_have_nothing_to_test_on_and_it_is_said_what_would_work() {
    let rows = "photos/0.png,a\nphotos/1.png,b\n";
    let json = "{\"path\": \"photos/0.png\", \"label\": \"a\"}\n{\"path\": \"photos/1.png\", \"label\": \"b\"}\n";
    let instead =
        "`test = \"train\"` tests on the training photos, and `label = \"\"` trains without labels and tests nothing";
    let column = "so that all rows are to train on: add one that says `train` or `test` (the option `split` names another column)";
    for (name, list) in [("x.csv", format!("path,label\n{rows}")), ("x.jsonl", json.into())] {
        let (_folder, dataset) = with(name, &list);
        assert_eq!(dataset.open(Split::Train).unwrap().classes(), 2);
        assert_eq!(
            error(&dataset, Split::Test),
            format!("{name}: has no column `split`, {column}; {instead}")
        );
        let dataset = Manifest {
            split: String::new(),
            ..dataset
        };
        assert_eq!(
            error(&dataset, Split::Test),
            format!("{name}: no split is read (`split = \"\"`), so that all rows are to train on; {instead}")
        );
        let on_train = Manifest {
            test: Some(Part::Train),
            ..dataset
        };
        assert_eq!(on_train.open(Split::Test).unwrap().len(), 2);
    }
}
