//! A `--set` that is wrong.

use super::{GOOD, error_of, loaded};

#[test]
fn a_set_that_is_wrong_is_named_as_it_was_typed() {
    assert_eq!(
        error_of(GOOD, &["objective.alhpa=2"]),
        "--set objective.alhpa=2: unknown key (did you mean `alpha`?); known keys: divergence, similarity, alpha, negatives, shift"
    );
    assert_eq!(
        error_of(GOOD, &["train.lr=-1"]),
        "--set train.lr=-1: -1 is not from 1e-12 to 1e9"
    );
    assert_eq!(
        error_of(GOOD, &["train"]),
        "--set train: expected key=value, such as train.epochs=10"
    );
    assert_eq!(
        error_of(GOOD, &["train..lr=1"]),
        "--set train..lr=1: expected key=value, such as train.epochs=10"
    );
    assert_eq!(
        error_of(GOOD, &["train=1"]),
        "--set train=1: expected a table, found the number 1"
    );
}

#[test]
fn a_set_that_a_later_one_undoes_is_an_error_and_one_that_is_replaced_is_not() {
    let undone = |sets: &[&str]| error_of(GOOD, sets);
    let lost = "a later --set names another part in its place; give it after that one";
    for other in ["optimizer.name=adamw", "optimizer=adamw"] {
        let error = undone(&["optimizer.weight_decay=0.5", other]);
        assert_eq!(error, format!("--set optimizer.weight_decay=0.5: {lost}"));
    }
    let error = undone(&["objective.similarity.mu=1", "objective.similarity=cosine"]);
    assert_eq!(error, format!("--set objective.similarity.mu=1: {lost}"));
    // The later value would be taken, and nobody would know.
    let table = "optimizer={name='sgd', weight_decay=0.25}";
    let error = undone(&["optimizer.weight_decay=0.5", table]);
    let another = "a later one, of `optimizer`, gives another value in its place; give it after that one";
    assert_eq!(error, format!("--set optimizer.weight_decay=0.5: {another}"));
    let experiment = loaded(&[("x.toml", GOOD)], &[table, "optimizer.weight_decay=0.5"]);
    assert!(
        format!("{:?}", experiment.optimizer).contains("0.5"),
        "{:?}",
        experiment.optimizer
    );
    // What it does not give stays.
    loaded(
        &[("x.toml", GOOD)],
        &["optimizer.weight_decay=0.5", "optimizer={name='sgd'}"],
    );
    let experiment = loaded(
        &[("x.toml", GOOD)],
        &[
            "train.lr=0.1",
            "optimizer=adamw",
            "optimizer.weight_decay=0.5",
            "train.lr=0.2",
        ],
    );
    assert_eq!((experiment.train.lr, experiment.optimizer.name()), (0.2, "adamw"));
}

#[test]
fn a_set_above_the_key_at_fault_keeps_the_key() {
    assert_eq!(
        error_of(GOOD, &["objective={name='f-micl'"]),
        "--set objective={name='f-micl': unclosed inline table, expected `}`"
    );
    assert_eq!(
        error_of(GOOD, &["objective={name=infonce}"]),
        "--set objective={name=infonce}: `infonce` is not a TOML value: write text in quotes, \"infonce\""
    );
    assert_eq!(
        error_of(GOOD, &["train={epochs=0, batch_size=2, lr=1}"]),
        "--set train={epochs=0, batch_size=2, lr=1}: train.epochs: 0 is not from 1 to 99999"
    );
}
