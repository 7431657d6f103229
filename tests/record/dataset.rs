//! The dataset that a run was trained on.

use super::*;

const BRING_BACK: &str =
    "; a run can resume only with the data that it started with: restore data, or start a new run with another --out";

#[test]
fn a_dataset_that_is_another_is_refused_and_says_what_differs() {
    let bench = of_photos();
    bench.finish("run", 1);
    let (one, two) = (bench.path("data/train/one"), bench.path("data/train/two"));
    fs::copy(one.join("3.png"), one.join("30.png")).unwrap();
    let found = refused(&bench, &[]);
    let added = "error: run: the dataset has 21 samples and had 20: `one` has 11 and had 10";
    assert_eq!(found, format!("{added}{BRING_BACK}"));
    let replay = Command::new(env!("CARGO_BIN_EXE_fmicl"))
        .current_dir(bench.folder.path())
        .args(["replay", "run", "--step", "1"])
        .output()
        .unwrap();
    assert_eq!(ended(&replay), (1, format!("{added}{BRING_BACK}\n")));
    let same = "error: run: the dataset changed, with the same number of samples (20)";
    fs::remove_file(one.join("3.png")).unwrap();
    assert_eq!(
        refused(&bench, &[]),
        format!("{same}: `one` has other samples or another order{BRING_BACK}")
    );
    fs::rename(one.join("30.png"), two.join("3a.png")).unwrap();
    assert_eq!(
        refused(&bench, &[]),
        format!("{same}: `one` has 9 and had 10{BRING_BACK}")
    );
    fs::rename(two.join("3a.png"), one.join("3.png")).unwrap();
    fs::create_dir(bench.path("data/train/three")).unwrap();
    fs::copy(one.join("3.png"), bench.path("data/train/three/1.png")).unwrap();
    assert_eq!(
        refused(&bench, &[]),
        format!("error: run: the dataset has 21 samples and had 20: `three` is new{BRING_BACK}")
    );
    fs::remove_dir_all(bench.path("data/train/three")).unwrap();
    // It may lie elsewhere.
    fs::rename(bench.path("data"), bench.path("moved")).unwrap();
    let moved = bench
        .train("run", 2)
        .args(["--set", "dataset.root='moved'"])
        .output()
        .unwrap();
    assert_eq!(ended(&moved).0, 0);
}

#[test]
fn texts_that_are_others_are_refused_too() {
    for (name, file) in [
        ("sentences", "sentences.txt"),
        ("triplets", "triplets.csv"),
        ("stsb-csv", "stsb.csv"),
    ] {
        let part: Part<dyn Dataset> = Part::new(name, toml::Table::new()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        part.example(folder.path()).unwrap();
        let path_of = folder.path().join(file);
        let portions = || {
            let options = toml::Table::from_iter([("path".to_string(), path_of.to_str().unwrap().into())]);
            let part: Part<dyn Dataset> = Part::new(name, options).unwrap();
            part.open(fmicl_core::Split::Pretrain).unwrap().portions()
        };
        let before = portions();
        let content = fs::read_to_string(&path_of).unwrap();
        let last = content.lines().last().unwrap();
        // As many sentences, of which one is longer.
        fs::write(&path_of, content.replace(last, &last.replace(' ', "  x"))).unwrap();
        let after = portions();
        assert_eq!(after[0].samples, before[0].samples, "{file}");
        assert_ne!(after, before, "{file}");
        fs::write(&path_of, &content).unwrap();
        assert_eq!(portions(), before, "{file}");
    }
}

#[test]
fn a_list_of_photos_that_changed_is_named() {
    let bench = of_example("manifest", "file = 'data/list.csv'", str::to_string);
    bench.finish("run", 1);
    let list = fs::read_to_string(bench.path("data/list.csv")).unwrap();
    let cases = [
        (
            list.replacen("-one-0.png,one,train", "-one-0.png,two,train", 1),
            "the dataset changed, with the same number of samples (20)",
        ),
        (
            list.replacen(",one,train", ",one,val", 1),
            "the dataset has 19 samples and had 20",
        ),
    ];
    for (changed, expected) in cases {
        assert_ne!(changed, list);
        fs::write(bench.path("data/list.csv"), changed).unwrap();
        let expected = format!(
            "error: run: {expected}{}",
            BRING_BACK.replace("restore data", "restore data/list.csv")
        );
        assert_eq!(refused(&bench, &[]), expected);
    }
}

#[test]
fn a_run_goes_on_with_the_list_of_what_is_left_out_that_it_began_with_and_says_that_it_changed() {
    let whole = r#"{ name = "subset", train = 24, of = "digits" }"#;
    let bench = Bench::new(|text| {
        let without = format!("{{ name = 'leave-out', list = 'list.csv', of = {whole} }}");
        text.replace(whole, &without)
    });
    let write = |rows: &str| fs::write(bench.path("list.csv"), format!("split,sample,path,why\n{rows}")).unwrap();
    let resume = |steps| {
        let (code, said) = ended(&bench.train("run", steps).output().unwrap());
        assert!(code == 0 || code == 1, "{said}");
        said
    };
    let changed =
        "list.csv has changed since the run began, which goes on with its own copy, run/files/dataset.list; a new run";
    write("train,3,,x\ntest,5,,y\n");
    bench.finish("run", 1);
    let kept = fs::read(bench.path("list.csv")).unwrap();
    assert!(fs::read(bench.path("run/files/dataset.list")).unwrap() == kept);
    assert!(!resume(2).contains("has changed"));
    // Of training and of test samples.
    write("train,4,,x\ntest,6,,y\n");
    let said = resume(3);
    assert!(
        said.contains(changed) && said.contains("run/files/dataset.list: 1 samples of test are left out"),
        "{said}"
    );
    // It may be gone.
    fs::remove_file(bench.path("list.csv")).unwrap();
    let said = resume(4);
    assert!(
        !said.contains("has changed") && said.contains("run/files/dataset.list: 1 samples of train"),
        "{said}"
    );
}
