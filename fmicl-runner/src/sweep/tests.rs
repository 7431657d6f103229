//! A sweep over runs that are made by hand: what the grid, the table and the CSV say of them.

use super::file::SweepFile;
use super::report::{Report, Summary};
use super::{cell::Cell, grid};
use std::fs;
use std::path::Path;

const EXPERIMENT: &str = r#"
    dataset = "digits"
    backbone = { name = "resnet", width = 4 }
    architecture = "simclr"
    objective = { name = "f-micl", divergence = "kl", similarity = "gaussian" }
    optimizer = "sgd"
    train = { epochs = 1, batch_size = 8, lr = 0.1 }
"#;

const SWEEP: &str = r#"
    experiment = "x.toml"
    set = ["train.lr=0.2"]
    seeds = [0, 1]
    [[axis]]
    name = "divergence"
    key = "objective.divergence"
    values = ["kl", { name = "tsallis", alpha = 2.5 }]
    [[axis]]
    name = "size"
    values = [{ label = "small", set = ["backbone.width=2"] }, { label = "large", set = ["backbone.width=8"] }]
    [scale.tiny]
    set = ["train.batch_size=4", "backbone.width=6"]
    seeds = [5]
    [report]
    columns = "size"
    metrics = ["knn", "alignment"]
"#;

fn write(folder: &Path, sweep: &str) -> SweepFile {
    fs::write(folder.join("x.toml"), EXPERIMENT).unwrap();
    fs::write(folder.join("sweep.toml"), sweep).unwrap();
    SweepFile::read(&folder.join("sweep.toml")).unwrap()
}

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
        "sweep.toml:3: axis: the axes and seeds make 2000000000000 runs, and a sweep has at most 10000; run a part by --only"
    );
}

/// Pretends that the run gave these numbers.
fn finish(cell: &Cell, knn: f64, alignment: f64) {
    fs::create_dir_all(&cell.dir).unwrap();
    let row = |name: &str, knn: f64| {
        serde_json::json!({
            "representation": name,
            "all_labels": { "knn": knn, "linear": 0.5 },
            "few_labels": { "knn": 0.25, "linear": 0.25 },
        })
    };
    let rows = [
        row("raw pixels", 0.4),
        row("untrained encoder", 0.3),
        row("trained encoder", knn),
    ];
    let protocol = serde_json::json!({ "classes": 10, "test_images": 360, "train_images": 1437, "k": 200 });
    let result = serde_json::json!({ "seconds": 61.0, "evaluation": { "rows": rows, "protocol": protocol } });
    fs::write(cell.dir.join("result.json"), result.to_string()).unwrap();
    let epochs = [0.0, alignment].map(|a| serde_json::json!({ "projections": { "alignment": a } }).to_string());
    fs::write(cell.dir.join("metrics.jsonl"), epochs.join("\n")).unwrap();
}

#[test]
fn the_grid_is_every_combination_with_every_seed() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), SWEEP);
    let cells = grid::cells(&file, None, &["train.epochs=3".into()], &[], folder.path()).unwrap();
    assert_eq!(cells.len(), 8);
    assert_eq!(cells[5].title(), "tsallis alpha=2.5, small, seed 1");
    let name = cells[5].dir.strip_prefix(folder.path()).unwrap();
    assert_eq!(name, Path::new("runs/tsallis-alpha-2.5_small_seed-1"));
    assert_eq!(
        cells[5].sets(),
        [
            "train.lr=0.2",
            "objective.divergence={ alpha = 2.5, name = \"tsallis\" }",
            "backbone.width=2",
            "train.epochs=3",
            "seed=1"
        ]
    );
}

#[test]
fn a_scale_lies_under_the_axes_and_has_its_own_seeds() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), SWEEP);
    let cells = grid::cells(&file, Some("tiny"), &[], &[], folder.path()).unwrap();
    assert_eq!((cells.len(), cells[0].seed), (4, 5));
    let config = |sets: &[String]| crate::config::load(&folder.path().join("x.toml"), sets).unwrap();
    let experiment = config(&cells[1].sets());
    assert_eq!(experiment.train.batch_size, 4);
    assert!(experiment.to_toml().unwrap().contains("width = 8"), "the axis wins");
    let unknown = grid::cells(&file, Some("tyny"), &[], &[], folder.path()).unwrap_err();
    assert_eq!(
        unknown[0].to_string(),
        "--scale tyny: no such scale (did you mean `tiny`?); scales: tiny"
    );
}

#[test]
fn an_init_is_relative_to_the_sweep_file_in_its_runs_too() {
    let folder = tempfile::tempdir().unwrap();
    let sweep =
        "experiment = 'x.toml'\nseeds = [0]\n[[axis]]\nname = 'start'\nkey = 'init'\nvalues = ['w.safetensors']";
    let file = write(folder.path(), sweep);
    let cells = grid::cells(&file, None, &[], &[], folder.path()).unwrap();
    let run = crate::config::load(&cells[0].experiment, &cells[0].sets()).unwrap();
    assert_eq!(run.init, Some(folder.path().join("w.safetensors")));
    assert_eq!(crate::train::RunDir::config_of(&run).unwrap(), cells[0].config);
}

#[test]
fn what_is_wrong_is_said_before_anything_runs() {
    assert_eq!(
        error_of("experiment = 'x.toml'\nsede = [1]"),
        "sweep.toml:2: sede: unknown key (did you mean `seeds`?); known keys: experiment, set, seeds, axis, scale, scales, report"
    );
    let sweep = "experiment = 'x.toml'\nseeds = [0, 1]\n[[axis]]\nname = 'd'\nkey = 'objective.divergence'\nvalues = ['kl', 'pearsn']";
    let error = error_of(sweep);
    assert!(
        error.starts_with("sweep.toml:6: objective.divergence: no divergence named `pearsn` (did you mean `pearson`?)"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "once for both seeds: {error}");
    assert_eq!(
        error_of(&format!("{sweep}\n[report]\ncolumns = 'e'")),
        "sweep.toml:8: report.columns: no axis named `e`; axes: d"
    );
}

#[test]
fn an_experiment_that_is_not_there_is_an_error_at_its_line() {
    assert_eq!(
        error_of("seeds = [1]\nexperiment = 'y.toml'"),
        "sweep.toml:2: experiment: y.toml: there is no such file; name a TOML file"
    );
}

#[test]
fn nothing_in_a_sweep_is_ignored() {
    let seeded = error_of("experiment = 'x.toml'\nset = ['seed = 7']");
    assert_eq!(
        seeded,
        "sweep.toml:2: `seed = 7`: the seeds of a sweep are its `seeds`, or those of a scale"
    );
    let axis = "experiment = 'x.toml'\n[scale.tiny]\n[[axis]]\nname = 'd'\nkey = 'train.lr'\nvalues = [1.0]\n";
    let scaled = error_of(&format!("{axis}scale.tyny = [2.0]"));
    assert!(
        scaled.ends_with("no scale named `tyny` (did you mean `tiny`?); scales: tiny"),
        "{scaled}"
    );
    let seedless = error_of("experiment = 'x.toml'\n[scale.tiny]\nseeds = []");
    assert_eq!(seedless, "sweep.toml:3: scale.tiny.seeds: there is none");
    let words = "experiment = 'x.toml'\n[[axis]]\nname = 'd'\nkey = 'objective.divergence'\nvalues = ['kl']\n";
    let along = error_of(&format!("{words}[report]\nplot = 'lines'\nx = 'd'"));
    assert_eq!(
        along,
        "sweep.toml:8: report.x: lines run along numbers, and the axis `d` has `kl`"
    );
}

#[test]
fn a_finished_run_is_done_and_one_of_another_config_is_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), SWEEP);
    let cells = || grid::cells(&file, None, &[], &[], folder.path()).unwrap();
    let cell = &cells()[0];
    assert!(!cell.is_done().unwrap());
    let config = crate::config::load(&cell.experiment, &cell.sets())
        .unwrap()
        .to_toml()
        .unwrap();
    fs::create_dir_all(&cell.dir).unwrap();
    fs::write(cell.dir.join("config.toml"), &config).unwrap();
    assert!(!cell.is_done().unwrap(), "it was broken off");
    finish(cell, 0.5, 0.1);
    assert!(cell.is_done().unwrap());
    fs::write(cell.dir.join("config.toml"), config.replace("lr = 0.2", "lr = 0.3")).unwrap();
    let error = cell.is_done().unwrap_err().to_string();
    assert!(error.contains("(`lr = 0.3`, now `lr = 0.2`)"), "{error}");
}

#[test]
fn the_table_has_means_spreads_the_best_and_what_it_is_compared_with() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), SWEEP);
    let cells = grid::cells(&file, None, &[], &[], folder.path()).unwrap();
    for (cell, knn) in cells.iter().zip([0.50, 0.60, 0.7, 0.7, 0.40, 0.50, 0.8]) {
        finish(cell, knn, 1.0 - knn);
    }
    fs::create_dir_all(&cells[7].dir).unwrap();
    fs::write(cells[7].dir.join("failed.txt"), "the loss is NaN\n").unwrap();
    let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let table = report.markdown().unwrap();
    let expected = "# sweep

| divergence | small kNN | small alignment | large kNN | large alignment |
| --- | --- | --- | --- | --- |
| chance | 10.0 | – | 10.0 | – |
| raw pixels | 40.0 | – | 40.0 | – |
| untrained encoder | 30.0 | – | 30.0 | – |
| kl | **55.0** ± 7.1 | **0.450** ± 0.071 | 70.0 ± 0.0 | 0.300 ± 0.000 |
| tsallis alpha=2.5 | 45.0 ± 7.1 | 0.550 ± 0.071 | **80.0** (1 failed) | **0.200** (1 failed) |
";
    assert!(table.starts_with(expected), "{table}");
    assert!(
        table.contains("on 360 test images") && table.contains("k = 200"),
        "{table}"
    );
    assert!(
        table.ends_with("\nFailed: tsallis alpha=2.5, large, seed 1: the loss is NaN\n"),
        "{table}"
    );

    report.write(folder.path()).unwrap();
    let csv = fs::read_to_string(folder.path().join("results.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 9);
    assert!(
        lines[0].starts_with("divergence,size,seed,state,knn,linear,few_label_knn,"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("kl,small,0,done,50,50,25,25,0.5,,"),
        "{}",
        lines[1]
    );
    assert!(
        lines[8].starts_with("tsallis alpha=2.5,large,1,failed: the loss is NaN,,"),
        "{}",
        lines[8]
    );

    let svg = fs::read_to_string(folder.path().join("plot.svg")).unwrap();
    roxmltree::Document::parse(&svg).unwrap();
    assert!(svg.contains("tsallis alpha=2.5, large") && !svg.contains("NaN"));
}

#[test]
fn every_kind_of_plot_is_drawn() {
    for (report, expected) in [
        ("plot = 'lines'\nx = 'batch'\nmetrics = ['knn']", "kNN accuracy, %"),
        ("plot = 'scatter'\nmetrics = ['alignment', 'knn']", "alignment"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let sweep =
            "experiment = 'x.toml'\n[[axis]]\nname = 'batch'\nkey = 'train.batch_size'\nvalues = [8, 16]\n[report]\n";
        let file = write(folder.path(), &format!("{sweep}{report}"));
        let cells = grid::cells(&file, None, &[], &[], folder.path()).unwrap();
        let write = || {
            let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
            report.write(folder.path()).unwrap();
            fs::read_to_string(folder.path().join("plot.svg")).ok()
        };
        assert_eq!(write(), None, "nothing has run");
        cells
            .iter()
            .zip([0.5, 0.6])
            .for_each(|(cell, knn)| finish(cell, knn, 0.2));
        let svg = write().unwrap();
        roxmltree::Document::parse(&svg).unwrap();
        assert!(svg.contains(expected));
    }
}

#[test]
fn the_spread_is_that_of_a_sample() {
    let summary = Summary::new(vec![1.0, 2.0, 4.0]).unwrap();
    assert_eq!(summary.mean, 7.0 / 3.0);
    assert!((summary.spread.unwrap() - 1.527_525_231_651_946_6).abs() < 1e-12);
    assert_eq!(Summary::new(vec![1.0]).unwrap().spread, None);
    assert_eq!(Summary::new(vec![]), None);
}

/// A sweep over this text's axes below [`EXPERIMENT`]: its cells, all of them finished.
fn finished(folder: &Path, sweep: &str) -> (SweepFile, Vec<Cell>) {
    let file = write(folder, &format!("experiment = 'x.toml'\n{sweep}"));
    let cells = grid::cells(&file, None, &[], &[], folder).unwrap();
    cells.iter().for_each(|cell| finish(cell, 0.5, 0.2));
    (file, cells)
}

fn rewrite(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_reference_that_depends_on_the_row_is_left_out_and_each_protocol_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let axis = "[[axis]]\nname = 'dataset'\nkey = 'dataset'\nvalues = ['digits', { name = 'subset', train = 9, of = 'digits' }]";
    let (file, cells) = finished(folder.path(), axis);
    let result = cells[1].dir.join("result.json");
    rewrite(&result, "0.4", "0.45");
    rewrite(&result, "360", "90");
    let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let table = report.markdown().unwrap();
    assert!(
        table.contains("| raw pixels | – | 50.0 |") && table.contains("| chance | 10.0 |"),
        "{table}"
    );
    assert!(
        table.contains("Not the same for all rows, so in results.csv alone: raw pixels."),
        "{table}"
    );
    assert!(
        table.contains("`digits`, null epochs: accuracy on 360 test images"),
        "{table}"
    );
    assert!(
        table.contains("`subset of digits`, null epochs: accuracy on 90 test images"),
        "{table}"
    );
}

#[test]
fn a_collapsed_run_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let (file, cells) = finished(folder.path(), "");
    let metrics = cells[0].dir.join("metrics.jsonl");
    rewrite(
        &metrics,
        "{\"alignment\":0.2}",
        "{\"alignment\":0.2,\"effective_rank\":1.25}",
    );
    let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let expected = "seed 0: collapsed: the effective rank of the projections is 1.25\n";
    assert!(report.markdown().unwrap().ends_with(expected));
}

#[test]
fn runs_that_cannot_be_told_apart_are_refused() {
    let axis = |values: &str| format!("experiment = 'x.toml'\n[[axis]]\nname = 'a'\nvalues = [{values}]");
    let same = axis("{ label = 'a', set = ['train.lr=0.3'] }, { label = 'b', set = ['train.lr=0.3'] }");
    assert_eq!(
        error_of(&same),
        "sweep.toml: the runs `a, seed 0` and `b, seed 0` are the same: something is set over what tells them apart"
    );
    let alike = axis("{ label = 'a b', set = [] }, { label = 'a-b', set = ['train.lr=0.3'] }");
    assert!(error_of(&alike).starts_with("sweep.toml: the runs `a b, seed 0` and `a-b, seed 0` would share "));
}

#[test]
fn only_keeps_the_values_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), SWEEP);
    let only = |only: &[&str]| {
        let only: Vec<String> = only.iter().map(|only| only.to_string()).collect();
        grid::cells(&file, Some("tiny"), &[], &only, folder.path())
            .map(|cells| cells.iter().map(Cell::title).collect::<Vec<_>>())
            .map_err(|errors| errors[0].to_string())
    };
    assert_eq!(only(&["size=large", "divergence=kl"]).unwrap(), ["kl, large, seed 5"]);
    assert_eq!(only(&["size=large", "size=small"]).unwrap().len(), 4);
    assert_eq!(
        only(&["size=larg"]).unwrap_err(),
        "--only size=larg: no such value (did you mean `large`?); values: small, large"
    );
    assert_eq!(
        only(&["sice=large"]).unwrap_err(),
        "--only sice=large: no such axis (did you mean `size`?); axes: divergence, size"
    );
}

#[test]
fn an_error_names_the_line_of_the_sweep_or_of_its_scales() {
    let sweep = "experiment = 'x.toml'\nset = [\n  'train.lr=0.3',\n  'train.lr=x',\n]";
    assert_eq!(
        error_of(sweep),
        "sweep.toml:4: train.lr: invalid type: string \"x\", expected a number"
    );
    let sweep =
        "experiment = 'x.toml'\n[[axis]]\nname = 'a'\nvalues = [\n  { label = 'a', set = ['objective.alhpa=1'] },\n]";
    assert_eq!(
        error_of(sweep),
        "sweep.toml:5: objective.alhpa: unknown key (did you mean `alpha`?); known keys: divergence, similarity, alpha, negatives"
    );
    assert_eq!(
        error_of("experiment = 'x.toml'\n[[axis]]\nname = 'a'\nvalues = [\n  { label = 'a', sets = [] },\n]"),
        "sweep.toml:5: sets: unknown key (did you mean `set`?); known keys: label, set"
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
            .ends_with("scales.toml:2: train.epochs: 0 is not from 1 to 99999"),
        "{}",
        errors[0]
    );
    let both = grid::cells(&file, Some("tiny"), &["train.epochs=1".into()], &[], folder.path()).unwrap();
    assert_eq!(
        both[0].sets(),
        ["train.epochs=0", "train.lr=0.7", "train.epochs=1", "seed=0"]
    );
}

/// Every sweep of this repository.
fn sweeps(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sweeps(&path, found);
        } else if fs::read_to_string(&path).unwrap().contains("[[axis]]") {
            found.push(path);
        }
    }
}

#[test]
fn every_sweep_resolves_at_every_scale_and_its_models_build() {
    let mut found = Vec::new();
    sweeps(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments"),
        &mut found,
    );
    assert!(found.len() >= 8);
    let mut built = std::collections::HashSet::new();
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("# Source: "),
            "{}: line 1 names the source",
            path.display()
        );
        let file = SweepFile::read(&path).unwrap();
        for scale in std::iter::once(None).chain(file.scale.keys().map(|scale| Some(&**scale))) {
            let cells = grid::cells(&file, scale, &[], &[], Path::new("out"))
                .unwrap_or_else(|errors| panic!("{}, {scale:?}: {errors:?}", path.display()));
            for cell in cells {
                let config: toml::Table = cell.config.parse().unwrap();
                let experiment = cell.resolved().unwrap();
                let model = ["backbone", "architecture"].map(|part| config[part].to_string());
                if built.insert((model, format!("{:?}", experiment.views.input()))) {
                    let store = fmicl_core::tch::nn::VarStore::new(fmicl_core::tch::Device::Cpu);
                    let learner = experiment.build_learner(&store.root(), None);
                    learner
                        .map(|_| ())
                        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                }
            }
        }
    }
}
