//! What a user sees of a config: the whole line, each time.

mod given;
mod merging;
mod sets;
mod values;

use super::{Experiment, load, load_all};
use std::path::Path;
use tempfile::TempDir;

/// Line 5 is the objective, line 7 `[train]`, line 8 to 10 its keys.
const GOOD: &str = r#"# made up for these tests
dataset = "gray"
backbone = { name = "resnet", depth = 18, stem = "cifar", width = 8 }
architecture = "simclr"
objective = { name = "f-micl", divergence = "kl", similarity = { name = "gaussian", sigma = 0.7 } }
optimizer = { name = "sgd", momentum = 0.8 }
[train]
epochs = 4
batch_size = 8
lr = 0.5
"#;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn try_load(folder: &Path, sets: &[&str]) -> Result<Experiment, String> {
    let sets: Vec<_> = sets.iter().map(|set| set.to_string()).collect();
    let shown = format!("{}/", folder.display());
    load(&folder.join("x.toml"), &sets).map_err(|error| {
        assert!(error.is_usage(), "exit code 2");
        error.to_string().replace(&shown, "")
    })
}

/// The experiment `x.toml` of these files.
fn loaded(files: &[(&str, &str)], sets: &[&str]) -> Experiment {
    try_load(folder(files).path(), sets).unwrap()
}

/// The error of loading `x.toml` with this text, without the folder.
fn error_of(text: &str, sets: &[&str]) -> String {
    try_load(folder(&[("x.toml", text)]).path(), sets).unwrap_err()
}

/// The error of `GOOD` with one text replaced.
fn error_with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from));
    error_of(&GOOD.replace(from, to), &[])
}

#[test]
fn a_similarity_that_leaves_f32_is_refused_at_its_line_and_sigma_is_named() {
    assert_eq!(
        error_with("sigma = 0.7", "sigma = 0.05"),
        "x.toml:5:51: objective.similarity: `gaussian { sigma = 0.05 }` is too steep for `kl` in f32: the penalty of a negative \
         pair is 1e33 at a cosine of 0.19, and may be 3e32 at most; a larger sigma keeps it in range"
    );
}

#[test]
fn a_tracker_that_is_named_twice_is_refused_at_its_place() {
    let error = error_of(GOOD, &["trackers=[\"jsonl\", { name = \"jsonl\" }]"]);
    let expected = "trackers[1]: `jsonl` is named twice, and both would write to the same files; name it once";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn an_unknown_part_names_its_line_the_nearest_part_and_all_of_them() {
    let names: Vec<_> = fmicl_core::registry::list::<dyn fmicl_core::Divergence>()
        .iter()
        .map(|it| it.name)
        .collect();
    let what = format!(
        "no divergence named `pearsn` (did you mean `pearson`?); registered: {}",
        names.join(", ")
    );
    assert_eq!(
        error_with("\"kl\"", "\"pearsn\""),
        format!("x.toml:5:32: objective.divergence: {what}")
    );
    assert_eq!(
        error_of(GOOD, &["objective.divergence=pearsn"]),
        format!("--set objective.divergence=pearsn: {what}")
    );
}

#[test]
fn an_unknown_key_is_an_error_at_any_depth() {
    assert_eq!(
        error_with("optimizer =", "optimiser = 'sgd'\noptimizer ="),
        "x.toml:6:1: optimiser: unknown key (did you mean `optimizer`?); known keys: dataset, backbone, init, architecture, \
         objective, optimizer, engine, seed, device, views, train, eval, evaluations, trackers"
    );
    assert_eq!(
        error_with("lr = 0.5", "lr = 0.5\nlog_evry = 1"),
        "x.toml:11:1: train.log_evry: unknown key (did you mean `log_every`?); known keys: epochs, batch_size, lr, \
         warmup_epochs, final_lr, schedule, clip_grad_norm, precision, tile, accumulate, sync_batch_norm, threads, log_every, checkpoint_every, \
         checkpoint_minutes, keep, max_failed_checkpoints, on_nan, max_skipped_steps, on_collapse, on_error, max_skipped_samples"
    );
    assert_eq!(
        error_with("lr = 0.5", "lr = 0.5\n[evaluations.knn]\nkk = 3"),
        "x.toml:12:1: evaluations.knn.kk: unknown key (did you mean `k`?); known keys: k, temperature, leave_one_out, few, draws, held_out"
    );
    assert_eq!(
        error_with("sigma", "sigm"),
        "x.toml:5:85: objective.similarity.sigm: unknown key (did you mean `sigma`?); known keys: sigma, temperature, mu, learn, \
         learn_lr"
    );
}

#[test]
fn a_known_key_in_another_place_is_told_its_own() {
    let top_level = "belongs at the top level, above the first [table]";
    for (from, to, expected) in [
        (
            "lr = 0.5",
            "lr = 0.5\nseed = 1",
            format!("11:1: train.seed: unknown key here; `seed` {top_level}"),
        ),
        (
            "momentum = 0.8",
            "device = 'cpu'",
            format!("6:29: optimizer.device: unknown key here; `device` {top_level}"),
        ),
        (
            "momentum = 0.8",
            "lr = 0.8",
            "6:29: optimizer.lr: unknown key here; write it as `train.lr`".into(),
        ),
        (
            "architecture =",
            "batch_size = 8\narchitecture =",
            "4:1: batch_size: unknown key here; write it as `train.batch_size`".into(),
        ),
        (
            "lr = 0.5",
            "lr = 0.5\n[eval]\nk = 3",
            "12:1: eval.k: unknown key here; write it as `evaluations.knn.k` or `evaluations.pair-retrieval.k` or `evaluations.retrieval.k`".into(),
        ),
        (
            "lr = 0.5",
            "lr = 0.5\n[eval]\nknn.k = 3",
            "12:1: eval.knn: unknown key here; write it as `evaluations.knn`".into(),
        ),
    ] {
        assert_eq!(error_with(from, to), format!("x.toml:{expected}"));
    }
    let sgd = "optimizer = { name = \"sgd\", momentum = 0.8 }";
    for (wrong, expected) in [
        (
            "sigma = 1",
            "sigma: unknown key here; write it as `objective.similarity.sigma` or `views.blur.sigma`",
        ),
        ("width = 8", "width: unknown key here; write it as `backbone.width`"),
        ("out = 8", "out: unknown key here; write it as `architecture.out`"),
        (
            "size = 8",
            "size: unknown key here; write it as `dataset.size` or `views.size`",
        ),
        (
            "temperature = 0.2",
            "temperature: unknown key here; write it as `objective.similarity.temperature`",
        ),
        ("knn.k = 3", "knn: unknown key here; write it as `evaluations.knn`"),
        (
            "objective.sigma = 1",
            "objective.sigma: unknown key here; write it as `objective.similarity.sigma`",
        ),
        (
            "backbone.out = 1",
            "backbone.out: unknown key here; write it as `architecture.out`",
        ),
        (
            "views.sigma = 1",
            "views.sigma: unknown key here; write it as `views.blur.sigma`",
        ),
        (
            "views.batch_size = 8",
            "views.batch_size: unknown key here; write it as `train.batch_size`",
        ),
        (
            "train.momentum = 0.5",
            "train.momentum: unknown key here; write it as `optimizer.momentum`",
        ),
    ] {
        let (key, value) = wrong.split_once(" = ").unwrap();
        let set = format!("{key}={value}");
        let shown = expected.strip_prefix(&format!("{key}: ")).unwrap_or(expected);
        assert_eq!(error_of(GOOD, &[&set]), format!("--set {set}: {shown}"));
        if !wrong.contains('.') {
            assert_eq!(
                error_with(sgd, &format!("{sgd}\n{wrong}")),
                format!("x.toml:7:1: {expected}")
            );
        }
    }
    // Another part of the kind may be meant, or an option of the part around it.
    assert_eq!(
        error_of(GOOD, &["objective.divergence.alpha=40"]),
        "--set objective.divergence.alpha=40: unknown key here; write it as `objective.alpha`; the divergence with an option \
         `alpha` is `tsallis`"
    );
    let infonce = "objective={name='infonce',temperature=0.5}";
    assert_eq!(
        error_of(GOOD, &[infonce, "temperature=0.2"]),
        "--set temperature=0.2: unknown key here; write it as `objective.temperature`"
    );
    // What a part has not is no option of an evaluation, whatever its name.
    let unknown = error_of(GOOD, &["objective.k=5"]);
    assert!(unknown.contains("known keys: divergence"), "{unknown}");
    // Nor what the objective's divergence has not an option of the views.
    let unknown = error_of(GOOD, &["objective.divergence.order=5"]);
    assert!(!unknown.contains("views"), "{unknown}");
    assert_eq!(
        error_of(GOOD, &["epochs=3"]),
        "--set epochs=3: unknown key here; write it as `train.epochs`"
    );
}

#[test]
fn a_table_that_extends_a_file_in_a_section_where_it_does_not_belong_is_told_its_place() {
    assert_eq!(
        error_with("lr = 0.5", "lr = 0.5\nviews.extends = 'no-such.toml'"),
        "x.toml:11:1: train.views: unknown key here; `views` belongs at the top level, above the first [table]"
    );
    assert_eq!(
        error_of(GOOD, &["train.views.extends=no-such.toml"]),
        "--set train.views.extends=no-such.toml: train.views: unknown key here; `views` belongs at the top level, above the \
         first [table]"
    );
}

#[test]
fn a_part_without_a_name_is_told_the_names_that_there_are() {
    let error = error_with("name = \"sgd\", ", "");
    let form = "x.toml:6:1: optimizer: expected the name of a part (optimizer), or a table with `name` and options";
    let names: Vec<_> = fmicl_core::registry::list::<dyn fmicl_core::Optimizer>()
        .iter()
        .map(|it| it.name)
        .collect();
    let names = names.join(", ");
    assert_eq!(error, format!("{form}; this table has no `name`; registered: {names}"));
    assert_eq!(
        error_with("{ name = \"sgd\", momentum = 0.8 }", "[\"sgd\"]"),
        format!("{form}; found an array")
    );
}

#[test]
fn a_missing_key_names_the_file_and_the_table_that_lacks_it() {
    assert_eq!(
        error_with("dataset = \"gray\"", ""),
        "x.toml: the key `dataset` is missing"
    );
    assert_eq!(error_with("lr = 0.5", ""), "x.toml:7:2: train: the key `lr` is missing");
    assert_eq!(
        error_with("divergence = \"kl\", ", ""),
        "x.toml:5:1: objective: the key `divergence` is missing, for the objective `f-micl`"
    );
    assert_eq!(
        error_of("", &["train.lr=1"]),
        "--set train.lr=1: train: the key `epochs` is missing"
    );
}

#[test]
fn broken_toml_is_one_line_with_its_place() {
    assert_eq!(error_with("epochs = 4", "epochs = "), "x.toml:8:10: a value is missing");
    assert_eq!(
        error_with("lr = 0.5", "epochs = 5"),
        "x.toml:10:1: `epochs` is given twice, here and on line 8: one of them must go"
    );
    assert_eq!(
        error_with("lr = 0.5", "lr = 99999999999999999999"),
        "x.toml:10:1: a number beyond 64 bits"
    );
    assert_eq!(
        error_with("lr = 0.5", "lr = 1e400"),
        "x.toml:10:1: a number beyond 64 bits"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_config_error() {
    let empty = folder(&[]);
    assert_eq!(
        try_load(empty.path(), &[]).unwrap_err(),
        "x.toml: there is no such file; name a TOML file"
    );
    let similar = folder(&[("cifar10.toml", GOOD), ("cifar10.md", "")]);
    let error = load(&similar.path().join("cifar01.toml"), &[]).unwrap_err().to_string();
    let expected = "cifar01.toml: there is no such file; name a TOML file (did you mean `cifar10.toml`?)";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn every_wrong_key_is_reported_at_once() {
    let text = GOOD
        .replace("\"sgd\"", "\"sgdd\"")
        .replace("depth", "dpth")
        .replace("lr =", "llr =");
    let folder = folder(&[("x.toml", &text)]);
    assert_eq!(load_all(&folder.path().join("x.toml"), &[]).unwrap_err().len(), 3);
    let text = GOOD
        .replace("epochs = 4", "epochs = 0")
        .replace("lr = 0.5", "lr = 0.0\n[eval]\nbatch_size = 0");
    std::fs::write(folder.path().join("x.toml"), text).unwrap();
    assert_eq!(load_all(&folder.path().join("x.toml"), &[]).unwrap_err().len(), 3);
    // With no epochs at all, that is what is wrong.
    let text = GOOD.replace("epochs = 4", "epochs = 0\nwarmup_epochs = 2");
    std::fs::write(folder.path().join("x.toml"), text).unwrap();
    assert_eq!(load_all(&folder.path().join("x.toml"), &[]).unwrap_err().len(), 1);
}
