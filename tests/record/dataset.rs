//! The dataset that a run was trained on.

use super::*;

const BRING_BACK: &str = "; a run can resume only with the data that it started with: restore the data, or start a new run with another --out";

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
fn a_run_goes_on_with_the_same_list_of_what_is_left_out_alone() {
    let whole = r#"{ name = "subset", train = 24, of = "digits" }"#;
    let bench = Bench::new(|text| {
        let without = format!("{{ name = 'leave-out', list = 'list.csv', of = {whole} }}");
        text.replace(whole, &without)
    });
    let write = |rows: &str| fs::write(bench.path("list.csv"), format!("split,sample,path,why\n{rows}")).unwrap();
    write("train,3,,x\n");
    bench.finish("run", 1);
    // Another reason is none for another result.
    write("train,3,,because\n");
    bench.finish("run", 2);
    let found = "error: run: the dataset changed, with the same number of samples";
    write("train,4,,x\n");
    let refused = refused(&bench, &[]);
    assert!(
        refused.starts_with(found)
            && refused.ends_with(&format!(": `left/out` has other samples or another order{BRING_BACK}")),
        "{refused}"
    );
}
