//! What a user sees of a sweep that is wrong: the whole line.

use super::{EXPERIMENT, write};
use crate::{file::SweepFile, grid};
use std::fs;

fn error_of(sweep: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.toml"), EXPERIMENT).unwrap();
    fs::write(folder.path().join("sweep.toml"), sweep).unwrap();
    let read = SweepFile::read(&folder.path().join("sweep.toml"));
    let error = match read {
        Err(error) => error.to_string(),
        Ok(file) => {
            let errors = grid::cells(&file, None, &[], &[], folder.path()).unwrap_err();
            errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
    };
    error.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_small_file_that_spans_a_large_grid_is_refused_before_it_takes_memory() {
    let values: Vec<String> = (1..=100).map(|value| value.to_string()).collect();
    let axis = |key: &str| {
        format!(
            "[[axis]]\nname = '{key}'\nkey = '{key}'\nvalues = [{}]\n",
            values.join(", ")
        )
    };
    let keys = [
        "train.epochs",
        "train.keep",
        "train.tile",
        "train.log_every",
        "train.accumulate",
        "train.threads",
    ];
    let sweep: String = keys.iter().map(|key| axis(key)).collect();
    assert_eq!(
        error_of(&format!("experiment = 'x.toml'\nseeds = [0, 1]\n{sweep}")),
        "sweep.toml:3:3: axis: the axes and seeds make 2000000000000 runs, and a sweep has at most 10000; run a part with --only"
    );
}

#[test]
fn what_is_wrong_is_said_before_anything_runs() {
    assert_eq!(
        error_of("experiment = 'x.toml'\nsede = [1]"),
        "sweep.toml:2:1: sede: unknown key (did you mean `seeds`?); known keys: experiment, set, seeds, axis, scale, scales, report, \
         reference"
    );
    let sweep = "experiment = 'x.toml'\nseeds = [0, 1]\n[[axis]]\nname = 'd'\nkey = 'objective.divergence'\nvalues = ['kl', 'pearsn']";
    let error = error_of(sweep);
    assert!(
        error.starts_with(
            "sweep.toml:6:17: objective.divergence: no divergence named `pearsn` (did you mean `pearson`?)"
        ),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "once for both seeds: {error}");
    assert_eq!(
        error_of(&format!("{sweep}\n[report]\ncolumns = 'e'")),
        "sweep.toml:8:1: report.columns: no axis named `e`; axes: d"
    );
}

#[test]
fn a_metric_of_an_evaluation_that_no_run_has_is_refused_before_anything_runs() {
    assert_eq!(
        error_of("experiment = 'x.toml'\n[report]\nmetrics = ['knn.accuracy', 'kmn.accuracy']"),
        "sweep.toml:3:28: report.metrics[1]: `kmn.accuracy`: no run has an evaluation `kmn` (did you mean `knn`?); evaluations: \
         train, knn, linear"
    );
}

#[test]
fn an_experiment_that_is_not_there_is_an_error_at_its_line() {
    assert_eq!(
        error_of("seeds = [1]\nexperiment = 'y.toml'"),
        "sweep.toml:2:1: experiment: y.toml: there is no such file; name a TOML file"
    );
}

#[test]
fn what_a_sweep_has_none_of_is_not_listed() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "experiment = 'x.toml'");
    let error = |scale: Option<&str>, only: &[String]| {
        let errors = grid::cells(&file, scale, &[], only, folder.path()).unwrap_err();
        errors[0].to_string()
    };
    assert_eq!(
        error(Some("tiny"), &[]),
        "--scale tiny: no such scale; the sweep has no scales"
    );
    assert_eq!(
        error(None, &["a=b".into()]),
        "--only a=b: no such axis; the sweep has no axes"
    );
}

#[test]
fn nothing_in_a_sweep_is_ignored() {
    let seeded = error_of("experiment = 'x.toml'\nset = ['seed = 7']");
    assert_eq!(
        seeded,
        "sweep.toml:2:8: `seed = 7`: the seeds of a sweep are its `seeds`, or those of a scale"
    );
    let axis = "experiment = 'x.toml'\n[scale.tiny]\n[[axis]]\nname = 'd'\nkey = 'train.lr'\nvalues = [1.0]\n";
    let scaled = error_of(&format!("{axis}scale.tyny = [2.0]"));
    assert!(
        scaled.ends_with("no scale named `tyny` (did you mean `tiny`?); scales: tiny"),
        "{scaled}"
    );
    assert_eq!(
        error_of("experiment = 'x.toml'\nseeds = [0, 1, 0]"),
        "sweep.toml:2:1: seeds: 0 is there twice"
    );
    let seedless = error_of("experiment = 'x.toml'\n[scale.tiny]\nseeds = []");
    assert_eq!(seedless, "sweep.toml:3:1: scale.tiny.seeds: there is none");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.toml"), EXPERIMENT).unwrap();
    fs::write(folder.path().join("scales.toml"), "[tiny]\n\nseeds = [3, 3]").unwrap();
    let path = folder.path().join("sweep.toml");
    fs::write(&path, "experiment = 'x.toml'\nscales = 'scales.toml'").unwrap();
    let shared = SweepFile::read(&path).unwrap_err().to_string();
    assert!(
        shared.ends_with("scales.toml:3:1: tiny.seeds: 3 is there twice"),
        "{shared}"
    );
    let words = "experiment = 'x.toml'\n[[axis]]\nname = 'd'\nkey = 'objective.divergence'\nvalues = ['kl']\n";
    let along = error_of(&format!("{words}[report]\nplot = 'lines'\nx = 'd'"));
    assert_eq!(
        along,
        "sweep.toml:8:1: report.x: lines run along numbers, and the axis `d` has `kl`"
    );
}

#[test]
fn labels_of_values_without_effect_are_refused() {
    let axes = |one: &str, other: &str| {
        error_of(&format!(
            "experiment = 'x.toml'\n[[axis]]\nname = 'a'\n{one}\n[[axis]]\nname = 'b'\n{other}\n"
        ))
    };
    let lr = "key = 'train.lr'\nvalues = [0.1, 0.2]";
    let end = "and labels of values without effect would be in the table; let one axis set both, by values such as { label = \
               \"a\", set = [\"key=value\", ...] }";
    assert_eq!(
        axes(lr, "key = 'train.lr'\nvalues = [0.3, 0.4]"),
        format!("sweep.toml:9:11: `train.lr=0.3`: the axis `a` sets it, too, {end}")
    );
    let labelled = "values = [{ label = 'small', set = ['backbone.width=16', 'train.lr=0.3'] }]";
    assert_eq!(
        axes(lr, labelled),
        format!("sweep.toml:8:58: `train.lr=0.3`: the axis `a` sets it, too, {end}")
    );
    let (whole, within) = (
        "key = 'objective'\nvalues = ['infonce', 'dcl']",
        "key = 'objective.temperature'\nvalues = [0.1, 0.2]",
    );
    assert_eq!(
        axes(whole, within),
        format!("sweep.toml:9:11: `objective.temperature=0.1`: the axis `a` sets `objective`, too, {end}")
    );
    assert_eq!(
        axes(within, whole),
        format!("sweep.toml:9:11: `objective=\"infonce\"`: the axis `a` sets `objective.temperature`, too, {end}")
    );
    let alike = "key = 'train.lr_of_nothing'\nvalues = [1]";
    assert!(axes(lr, alike).contains("unknown key"), "no key within the other");
    let twice = "values = [{ label = 'x', set = ['train.lr=0.1', 'train.lr = 0.2'] }]";
    assert_eq!(
        error_of(&format!("experiment = 'x.toml'\n[[axis]]\nname = 'a'\n{twice}")),
        "sweep.toml:4:11: axis `a`: the value `x` sets `train.lr` twice"
    );
    assert_eq!(
        error_of("experiment = 'x.toml'\nseeds = [1, 2]\n[[axis]]\nname = 'seed'\nkey = 'seed'\nvalues = [3, 4]"),
        "sweep.toml:6:11: `seed=3`: the seeds of a sweep are its `seeds`, or those of a scale\n\
         sweep.toml:6:14: `seed=4`: the seeds of a sweep are its `seeds`, or those of a scale"
    );
}

#[test]
fn a_label_stays_true_whatever_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), super::SWEEP);
    let cells = |set: &str, only: &[String]| {
        grid::cells(&file, None, &[set.to_string()], only, folder.path()).map_err(|errors| errors[0].to_string())
    };
    let refused = |axis: &str| {
        format!(
            ": the axis `{axis}` sets it, and its labels would not be true; choose among its values with --only, or give it \
             others at a scale"
        )
    };
    for (set, axis) in [
        ("backbone.width=3", "size"),
        ("backbone={ name = 'resnet', depth = 34 }", "size"),
        ("objective.divergence=js", "divergence"),
        ("objective.divergence.alpha=3", "divergence"),
    ] {
        assert_eq!(cells(set, &[]).unwrap_err(), format!("--set {set}{}", refused(axis)));
    }
    // Nobody who is run says it.
    let kl = "objective.divergence.alpha=3";
    let error = cells(kl, &["divergence=kl".into()]).unwrap_err();
    assert!(error.contains("unknown key"), "{error}");
    assert!(cells("objective.alpha=3", &[]).is_ok());
}

#[test]
fn runs_that_cannot_be_told_apart_are_refused() {
    let axis = |values: &str| format!("experiment = 'x.toml'\n[[axis]]\nname = 'a'\nvalues = [{values}]");
    let same = axis("{ label = 'a', set = ['train.lr=0.3'] }, { label = 'b', set = ['train.lr=0.3'] }");
    assert_eq!(
        error_of(&same),
        "sweep.toml: the runs `a, seed 0` and `b, seed 0` are the same: a later setting overrides what distinguishes them"
    );
    let alike = axis("{ label = 'a b', set = [] }, { label = 'a-b', set = ['train.lr=0.3'] }");
    assert!(error_of(&alike).starts_with("sweep.toml: the runs `a b, seed 0` and `a-b, seed 0` would share "));
}

#[test]
fn an_error_names_the_line_of_the_sweep_or_of_its_scales() {
    let sweep = "experiment = 'x.toml'\nset = [\n  'train.lr=0.3',\n  'train.lr=x',\n]";
    assert_eq!(
        error_of(sweep),
        "sweep.toml:4:3: train.lr: expected a number, found the string \"x\""
    );
    let sweep =
        "experiment = 'x.toml'\n[[axis]]\nname = 'a'\nvalues = [\n  { label = 'a', set = ['objective.alhpa=1'] },\n]";
    assert_eq!(
        error_of(sweep),
        "sweep.toml:5:25: objective.alhpa: unknown key (did you mean `alpha`?); known keys: divergence, similarity, alpha, negatives, \
         shift"
    );
    assert_eq!(
        error_of("experiment = 'x.toml'\n[[axis]]\nname = 'a'\nvalues = [\n  { label = 'a', sets = [] },\n]"),
        "sweep.toml:5:18: sets: unknown key (did you mean `set`?); known keys: label, set, of"
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("scales.toml"), "[tiny]\nset = ['train.epochs=0']").unwrap();
    let file = write(
        folder.path(),
        "experiment = 'x.toml'\nscales = 'scales.toml'\n[scale.tiny]\nset = ['train.lr=0.7']",
    );
    let errors = grid::cells(&file, Some("tiny"), &[], &[], folder.path()).unwrap_err();
    assert!(
        errors[0]
            .to_string()
            .ends_with("scales.toml:2:8: train.epochs: 0 is not from 1 to 99999"),
        "{}",
        errors[0]
    );
    let both = grid::cells(&file, Some("tiny"), &["train.epochs=1".into()], &[], folder.path()).unwrap();
    assert_eq!(both[0].sets(), ["train.epochs=0", "train.lr=0.7", "train.epochs=1"]);
}

#[test]
fn a_reference_number_without_a_place_in_the_table_is_refused_at_its_line() {
    let error = |numbers: &str| {
        error_of(&format!(
            "experiment = 'x.toml'\n[[axis]]\nname = 'd'\nkey = 'objective.divergence'\nvalues = ['kl', 'js']\n\
             [[axis]]\nname = 'lr'\nkey = 'train.lr'\nvalues = [0.1, 0.5]\nscale.tiny = [0.7]\n[scale.tiny]\n\
             [report]\nmetrics = ['knn.accuracy']\n[reference]\nsource = 's'\n[reference.numbers.'knn.accuracy']\n{numbers}"
        ))
    };
    assert_eq!(
        error("kl = { \"0.1\" = \"90.10 (0.2)\", \"0.7\" = 3 }\njss = { \"0.1\" = 1 }"),
        "sweep.toml:18:1: reference.numbers.knn.accuracy.jss: the axis `d` has no value `jss` (did you mean `js`?); values: kl, js"
    );
    assert_eq!(
        error("kl = { \"0.1\" = 1, \"0.6\" = 3 }"),
        "sweep.toml:17:19: reference.numbers.knn.accuracy.kl.0.6: the axis `lr` has no value `0.6` (did you mean `0.7`?); \
         values: 0.1, 0.5, 0.7"
    );
    assert_eq!(
        error("js = 3.5"),
        "sweep.toml:17:1: reference.numbers.knn.accuracy.js: expected a table by the values of the axis `lr`, found 3.5"
    );
    for (number, found) in [("'1 (x)'", "\"1 (x)\""), ("'nan'", "\"nan\""), ("true", "true")] {
        let expected = "expected a number, or a text such as \"90.61\" or \"90.61 (0.47)\"";
        assert_eq!(
            error(&format!("kl = {{ \"0.1\" = {number} }}")),
            format!("sweep.toml:17:8: reference.numbers.knn.accuracy.kl.0.1: {expected}, found {found}")
        );
    }
    assert_eq!(
        error("[reference.numbers.kmn]"),
        "sweep.toml:17:20: reference.numbers.kmn: no metric of the report is named so; metrics: knn.accuracy"
    );
    let sourceless = error_of("experiment = 'x.toml'\n[reference]\nnumbers.knn = 3");
    assert_eq!(sourceless, "sweep.toml:2:2: reference: the key `source` is missing");
    let empty = error_of("experiment = 'x.toml'\n[reference]\nsource = 's'\nnumbers = {}");
    assert_eq!(empty, "sweep.toml:4:1: reference.numbers: there is none");
}
