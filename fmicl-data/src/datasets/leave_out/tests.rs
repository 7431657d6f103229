use super::*;
use crate::datasets::{Digits, ImageFolder};
use fmicl_core::testing::check_dataset;
use fmicl_core::toml;
use std::path::Path;

/// The example of `image-folder` in a folder, and the dataset without what is on a list.
fn photos(root: &Path, list: &str) -> LeaveOut {
    let options = ImageFolder::default().example(root).unwrap();
    without(Part::new("image-folder", options).unwrap(), root, list)
}

fn without(of: Part<dyn Dataset>, folder: &Path, list: &str) -> LeaveOut {
    let path = folder.join("list.csv");
    std::fs::write(&path, list).unwrap();
    LeaveOut { of, list: Some(path) }
}

fn digits() -> Part<dyn Dataset> {
    Part::new("digits", toml::Table::new()).unwrap()
}

#[test]
fn samples_are_left_out_by_their_paths_wherever_the_folder_lies() {
    let list = "split,sample,path,why\ntrain,99,train/one/3.png,unreadable\npretrain,0,train/two/0.png,x\ntest,,test/two/1.png,y\n";
    for _ in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        let dataset = photos(folder.path(), list);
        let (train, test) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
        check_dataset(&*train);
        check_dataset(&*test);
        assert_eq!((train.len(), test.len(), train.classes()), (18, 7, 2));
        let names: Vec<_> = (0..18).map(|index| train.path(index).unwrap()).collect();
        assert!(names[3].ends_with("one/4.png") && names[9].ends_with("two/1.png"));
        assert_eq!((train.label(8), train.label(9)), (0, 1));
        let notes = train.notes();
        assert!(
            notes[0].ends_with("list.csv: 2 samples of train are left out"),
            "{notes:?}"
        );
    }
}

#[test]
fn samples_without_files_are_left_out_by_their_indices() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Digits {}.open(Split::Train).unwrap();
    let dataset = without(
        digits(),
        folder.path(),
        "sample,split,path\n1,train,\n5,train,\n5,train,\n",
    );
    let left = dataset.open(Split::Pretrain).unwrap();
    check_dataset(&*left);
    assert_eq!(left.len(), whole.len() - 2);
    assert_eq!(left.image(1).unwrap(), whole.image(2).unwrap());
    assert_eq!(left.image(4).unwrap(), whole.image(6).unwrap());
    assert_eq!(dataset.open(Split::Test).unwrap().len(), 360);
}

#[test]
fn indices_are_not_those_of_another_dataset() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Digits {}.open(Split::Train).unwrap();
    let list = |samples: &dyn Samples| {
        let made_of = LeaveOut::made_of("train", samples);
        format!("split,sample,path,why\n{made_of}\ntrain,1,,broken\n")
    };
    let dataset = without(digits(), folder.path(), &list(&*whole));
    assert_eq!(dataset.open(Split::Train).unwrap().len(), whole.len() - 1);
    let other = Digits {}.open(Split::Test).unwrap();
    let dataset = without(digits(), folder.path(), &list(&*other));
    let error = dataset.open(Split::Train).map(|_| ()).unwrap_err().to_string();
    assert!(
        error.contains("list.csv: line 3: is an index of other samples: the dataset changed, "),
        "{error}"
    );
    assert!(dataset.open(Split::Test).is_ok());
}

#[test]
fn a_name_that_may_be_one_of_several_files_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let dataset = photos(folder.path(), "split,sample,path\ntrain,0,train/one/\u{fffd}.png\n");
    let one = folder.path().join("train/one");
    for byte in [0xe8, 0xe9] {
        let name = [&[byte][..], b".png"].concat();
        std::fs::copy(one.join("0.png"), one.join(std::ffi::OsStr::from_bytes(&name))).unwrap();
    }
    let error = dataset.open(Split::Train).map(|_| ()).unwrap_err().to_string();
    assert!(
        error.contains("line 2: `train/one/\u{fffd}.png` may be one of several files; rename them"),
        "{error}"
    );
}

#[test]
fn the_fingerprint_has_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let of = |list: &str| {
        without(digits(), folder.path(), list)
            .open(Split::Train)
            .unwrap()
            .portions()
    };
    let one = of("split,sample,path\ntrain,1,\n");
    assert_eq!(one, of("sample,split,why,path\n1,train,because,\n"));
    let other = of("split,sample,path\ntrain,2,\n");
    assert_eq!(
        Portion::difference(&other, &one).unwrap(),
        "the dataset changed, with the same number of samples (1438): `left/out` has other samples or another order"
    );
    let twice = LeaveOut {
        of: Part::new(
            "leave-out",
            toml::Table::from_iter([("of".to_string(), "digits".into())]),
        )
        .unwrap(),
        list: None,
    };
    let twice = twice.open(Split::Train).unwrap();
    check_dataset(&*twice);
    assert!(twice.notes()[0].contains("`leave-out` has no `list`"));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let again = "the dataset changed, or is another one; write the list again";
    let cases = [
        (
            "",
            "is empty; `fmicl data check DATASET --list FILE` writes such a list".to_string(),
        ),
        (
            "split,path\n",
            "line 1: a first row with the columns split, sample and path is expected".into(),
        ),
        (
            "split,sample,path\ntset,1,\n",
            "line 2: the split `tset` is none of train, pretrain and test".into(),
        ),
        (
            "split,sample,path\ntrain,x,\n",
            "line 2: has neither a path nor the index of a sample".into(),
        ),
        (
            "split,sample,path\ntrain,1437,\n",
            format!("line 2: there are 1437 samples in train: {again}"),
        ),
        (
            "split,sample,path\ntrain,0,\ntrain,0,a.png\n",
            format!("line 3: there is no `a.png` in train: {again}"),
        ),
    ];
    for (list, expected) in cases {
        let error = without(digits(), folder.path(), list)
            .open(Split::Train)
            .map(|_| ())
            .unwrap_err();
        let expected = format!("list.csv: {expected}");
        assert!(error.to_string().ends_with(&expected), "{error}\n{expected}");
    }
    let all: String = (0..360).map(|index| format!("test,{index},\n")).collect();
    let dataset = without(digits(), folder.path(), &format!("split,sample,path\n{all}"));
    assert!(dataset.open(Split::Train).is_ok());
    let error = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
    assert!(error.ends_with("list.csv: names all 360 samples of test"), "{error}");
}

#[test]
fn a_list_that_a_spreadsheet_saved_anew_is_read_or_its_encoding_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = photos(
        folder.path(),
        "split;sample;path;why\r\ntrain;99;train/one/3.png;\"a; b\"\r\n",
    );
    assert_eq!(dataset.open(Split::Train).unwrap().len(), 19);
    let utf16 = "\u{feff}split,sample,path\n".encode_utf16().flat_map(u16::to_le_bytes);
    std::fs::write(dataset.list.as_ref().unwrap(), utf16.collect::<Vec<_>>()).unwrap();
    let error = dataset.open(Split::Train).map(|_| ()).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "list.csv: is UTF-16, by its byte-order mark, not UTF-8; convert the file: `iconv -f utf-16 -t utf-8`"
        ),
        "{error}"
    );
}

#[test]
fn a_run_keeps_the_lists_wherever_they_stand_in_the_dataset() {
    let options = r#"list = "a.csv"
        of = { name = "subset", train = 9, of = { name = "leave-out", list = "b.csv", of = "digits" } }"#;
    let dataset: Part<dyn Dataset> = Part::new("leave-out", options.parse().unwrap()).unwrap();
    let reads = dataset.reads();
    let found: Vec<_> = reads.iter().map(|reads| (&*reads.option, &*reads.path)).collect();
    assert_eq!(
        found,
        [("list", Path::new("a.csv")), ("of.of.list", Path::new("b.csv"))]
    );
    assert!(digits().reads().is_empty());
}
