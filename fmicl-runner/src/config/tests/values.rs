//! A value that is wrong.

use super::{GOOD, error_of, error_with, loaded};

#[test]
fn a_value_of_the_wrong_type_says_what_was_found_and_expected() {
    assert_eq!(
        error_with("epochs = 4", "epochs = \"four\""),
        "x.toml:8:1: train.epochs: expected a whole number from 0, found the string \"four\""
    );
    assert_eq!(
        error_with("lr = 0.5", "lr = 0.5\nthreads = -4"),
        "x.toml:11:1: train.threads: expected a whole number from 0, found the number -4"
    );
    assert_eq!(
        error_with("lr = 0.5", "lr = true"),
        "x.toml:10:1: train.lr: expected a number, found `true`"
    );
    assert_eq!(
        error_with("[train]", "device = 'gpu'\n[train]"),
        "x.toml:7:1: device: `gpu` is not `auto`, `cpu` or `cuda:N` with N from 0"
    );
}

#[test]
fn a_value_out_of_range_is_an_error_at_its_line() {
    for (from, to, expected) in [
        (
            "batch_size = 8",
            "batch_size = 1",
            "9:1: train.batch_size: 1 is not at least 2: a pair needs a negative",
        ),
        (
            "epochs = 4",
            "epochs = 0",
            "8:1: train.epochs: 0 is not from 1 to 99999",
        ),
        ("lr = 0.5", "lr = nan", "10:1: train.lr: NaN is not from 1e-12 to 1e9"),
        (
            "lr = 0.5",
            "lr = 0.5\nfinal_lr = 1",
            "11:1: train.final_lr: 1 is not from 0 to lr, 0.5",
        ),
        (
            "lr = 0.5",
            "lr = 0.5\nfinal_lr = 0.1\nschedule = 'flat'",
            "11:1: train.final_lr: 0.1 has no effect: the schedule `flat` keeps the rate at lr; leave it out, or take another \
             train.schedule",
        ),
        (
            "lr = 0.5",
            "lr = 0.5\nwarmup_epochs = 4",
            "11:1: train.warmup_epochs: 4 is not below the 4 epochs of the run; use 0 for no warm-up",
        ),
        (
            "lr = 0.5",
            "lr = 0.5\naccumulate = 0",
            "11:1: train.accumulate: 0 is not at least 1",
        ),
        (
            "lr = 0.5",
            "lr = 0.5\nclip_grad_norm = 0",
            "11:1: train.clip_grad_norm: 0 is not from 1e-12 to 1e9",
        ),
        (
            "lr = 0.5",
            "lr = 0.5\n[evaluations]\nknn = { k = 0 }",
            "12:9: evaluations.knn.k: 0 is not at least 1",
        ),
        (
            "lr = 0.5",
            "lr = 0.5\n[evaluations]\nlinear.l2 = -1",
            "12:8: evaluations.linear.l2: -1 is not from 0 to 1e9",
        ),
        (
            "\"gray\"",
            "{ name = \"gray\", count = 0 }",
            "2:28: dataset.count: 0 is not at least 1",
        ),
    ] {
        assert_eq!(error_with(from, to), format!("x.toml:{expected}"));
    }
}

#[test]
fn what_is_written_as_another_language_has_it_is_told_how_toml_has_it() {
    for (set, found) in [
        (
            "train.lr=.1",
            "expected a number, found the string \".1\"; write it as `0.1`",
        ),
        (
            "train.sync_batch_norm=True",
            "expected true or false, found the string \"True\"; write it as `true`",
        ),
    ] {
        assert_eq!(error_of(GOOD, &[set]), format!("--set {set}: {found}"));
    }
}

#[test]
fn a_negative_number_is_told_the_range_that_it_is_out_of() {
    assert_eq!(
        error_with("epochs = 4", "epochs = -4"),
        "x.toml:8:1: train.epochs: -4 is not from 1 to 99999"
    );
    assert_eq!(
        error_with("\"gray\"", "{ name = \"gray\", count = -1 }"),
        "x.toml:2:28: dataset.count: -1 is not at least 1"
    );
    assert_eq!(
        error_of(GOOD, &["evaluations.knn.k=-9"]),
        "--set evaluations.knn.k=-9: -9 is not at least 1"
    );
}

#[test]
fn a_list_of_evaluations_is_all_of_them() {
    let names = |sets: &[&str]| {
        let experiment = loaded(&[("x.toml", GOOD)], sets);
        let text = experiment.to_toml().unwrap();
        let names: Vec<_> = experiment
            .evaluations
            .iter()
            .map(|(name, _)| name.to_string())
            .collect();
        // The complete config says the same.
        let read = loaded(&[("x.toml", &text)], &[]);
        let again: Vec<_> = read.evaluations.iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, again, "{text}");
        names
    };
    let default = names(&[]);
    assert!(default.contains(&"knn".to_string()), "{default:?}");
    assert_eq!(names(&["evaluations=[]"]), [""; 0]);
    assert_eq!(names(&["evaluations=['knn']"]), ["knn"]);
    assert_eq!(
        names(&["evaluations=['retrieval']", "evaluations.knn.k=3"]),
        ["knn", "retrieval"]
    );
    assert_eq!(names(&["evaluations=['knn']", "evaluations=[]"]), [""; 0]);
    // Its options stay, and what is not in it goes.
    let more = format!("{GOOD}[evaluations]\nretrieval = true\nknn.k = 3\n");
    let kept = loaded(&[("x.toml", &more)], &["evaluations=['knn']"]);
    let kept = kept.to_toml().unwrap();
    assert!(kept.contains("k = 3") && !kept.contains("retrieval"), "{kept}");
    assert_eq!(
        error_of(GOOD, &["evaluations=['kn']"]).split("; ").next().unwrap(),
        "--set evaluations=['kn']: evaluations.kn: no evaluation named `kn` (did you mean `knn`?)"
    );
    let expected = "expected a table of evaluations by name, or a list of names; found";
    assert_eq!(
        error_of(GOOD, &["evaluations=false"]),
        format!("--set evaluations=false: {expected} boolean `false`")
    );
    assert_eq!(
        error_of(GOOD, &["evaluations=[1]"]),
        format!("--set evaluations=[1]: {expected} integer `1`")
    );
}
