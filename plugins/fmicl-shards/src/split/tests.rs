//! Folders of shards as people have them.

use super::*;

fn found(names: &[&str], find: fn(&Path, &str, &str) -> Result<Vec<PathBuf>>) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    let name = |path: PathBuf| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_string();
    let files = find(folder.path(), "tar", "look elsewhere");
    files
        .map(|files| files.into_iter().map(name).collect())
        .map_err(|error| error.to_string())
}

#[test]
fn splits_are_told_by_the_words_of_names_and_by_folders() {
    let names = ["imagenet-train-00.tar", "imagenet-Val-00.tar", "trainer-0.tar"];
    assert_eq!(found(&names, train).unwrap(), ["imagenet-train-00.tar"]);
    assert_eq!(found(&names, test).unwrap(), ["imagenet-Val-00.tar"]);
    let names = ["train/1.tar", "train/0.tar", "test/2.tar", "validation-0.tar"];
    assert_eq!(found(&names, train).unwrap(), ["train/0.tar", "train/1.tar"]);
    assert_eq!(found(&names, test).unwrap(), ["test/2.tar"]);
    let names = ["0.tar", "1.tar", "test.tar"];
    assert_eq!(found(&names, train).unwrap(), ["0.tar", "1.tar"]);
}

#[test]
fn capitals_in_the_names_of_folders_change_nothing() {
    let names = ["Train/1.tar", "TEST/2.tar"];
    assert_eq!(found(&names, train).unwrap(), ["Train/1.tar"]);
    assert_eq!(found(&names, test).unwrap(), ["TEST/2.tar"]);
}

#[test]
fn a_test_split_that_is_not_used_is_said() {
    let unused = |names: &[&str], test: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        names.iter().for_each(|name| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        });
        let layout = Layout {
            root: folder.path(),
            train: &Patterns::default(),
            test: &Patterns(test.iter().map(ToString::to_string).collect()),
            pretrain: None,
            extension: "tar",
            hint: "look elsewhere",
        };
        let root = folder.path().display().to_string();
        let notes: Vec<_> = layout.unused().iter().map(|note| note.replace(&root, "ROOT")).collect();
        notes
    };
    let said = |word: &str| {
        format!("ROOT: the .tar files of `{word}` are not used, since the test split is `test`; `test` names others")
    };
    assert_eq!(unused(&["train-0.tar", "test-0.tar", "val-0.tar"], &[]), [said("val")]);
    assert_eq!(unused(&["test/0.tar", "validation/0.tar"], &[]), [said("validation")]);
    assert_eq!(unused(&["test-0.tar", "val-0.tar"], &["test-0.tar"]), [""; 0]);
    assert_eq!(
        unused(&["train-0.tar", "val-0.tar", "test-val-0.tar"], &[]),
        [said("val")]
    );
    assert_eq!(unused(&["train-0.tar", "test-val-0.tar"], &[]), [""; 0]);
}

/// The training and test shards where these options are set.
fn split(names: &[&str], options: [&[&str]; 3]) -> [Result<Vec<String>, String>; 2] {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let [train, test, pretrain] = options.map(|patterns| Patterns(patterns.iter().map(ToString::to_string).collect()));
    let layout = Layout {
        root: folder.path(),
        train: &train,
        test: &test,
        pretrain: Some(&pretrain),
        extension: "tar",
        hint: "look elsewhere",
    };
    let name = |path: PathBuf| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_string();
    [Split::Train, Split::Test].map(|split| match layout.files(split) {
        Ok(files) => Ok(files.into_iter().map(name).collect()),
        Err(error) => Err(error
            .to_string()
            .replace(&format!("{}", folder.path().display()), "ROOT")),
    })
}

#[test]
fn a_shard_that_is_named_for_another_split_is_not_trained_on() {
    let names = ["a.tar", "b.tar", "c.tar"];
    let [train, test] = split(&names, [&[], &["./c.tar"], &[]]);
    assert_eq!(
        (train.unwrap(), test.unwrap().len()),
        (vec!["a.tar".to_string(), "b.tar".into()], 1)
    );
    let [train, _] = split(&names, [&[], &["c.tar"], &["b.tar"]]);
    assert_eq!(train.unwrap(), ["a.tar"]);
    let [train, _] = split(&names, [&[], &["*.tar"], &[]]);
    let expected = "ROOT: holds no .tar file to train on but those named for another split; look elsewhere";
    assert_eq!(train.unwrap_err(), expected);
    let expected = "is a shard to train on and a test shard; `train` and `test` name shards of their own";
    for found in split(&names, [&["*.tar"], &["c.tar"], &[]]) {
        let error = found.unwrap_err();
        assert!(error == format!("ROOT/c.tar: {expected}"), "{error}");
    }
    // Found by its name, it is no less a test shard.
    let [_, test] = split(&["a.tar", "test.tar"], [&["*.tar"], &[], &[]]);
    assert_eq!(test.unwrap_err(), format!("ROOT/test.tar: {expected}"));
}

#[test]
fn a_split_without_shards_is_an_error() {
    assert!(
        found(&["a.zip"], train)
            .unwrap_err()
            .ends_with(": holds no .tar file to train on; look elsewhere")
    );
    let expected = ": holds no .tar file with one of the words test, testing, val, valid, validation in its name, nor such a folder of \
                    them; look elsewhere";
    let error = found(&["0.tar"], test).unwrap_err();
    assert!(error.ends_with(expected), "{error}");
}
