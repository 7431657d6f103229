//! The table, the CSV and the plot of runs that are made by hand.

use super::{SWEEP, finish, write};
use crate::file::SweepFile;
use crate::report::Report;
use crate::summary::Summary;
use crate::{cell::Cell, grid};
use fmicl_core::Metric;
use std::fs;
use std::path::Path;

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

| divergence | small knn | small alignment | large knn | large alignment |
| --- | --- | --- | --- | --- |
| largest class | 10.0 | – | 10.0 | – |
| raw pixels | 40.0 | – | 40.0 | – |
| untrained encoder | 30.0 | – | 30.0 | – |
| kl | **55.0** ± 7.1 | **0.450** ± 0.071 | 70.0 ± 0.0 | 0.300 ± 0.000 |
| tsallis alpha=2.5 | 45.0 ± 7.1 | 0.550 ± 0.071 | **80.0** (1 failed) | **0.200** (1 failed) |
";
    assert!(table.starts_with(expected), "{table}");
    assert!(
        table.contains("on 360 test samples. test accuracy. weighted vote of k = 200.\n"),
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
        lines[0].starts_with(
            "divergence,size,seed,state,knn.accuracy,knn.few-labels,linear.accuracy,linear.few-labels,train.epoch,train.alignment,train.seconds,\
             raw_pixels_knn.accuracy,"
        ),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("kl,small,0,done,50,25,50,25,1,0.5,61,40,"),
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
        ("plot = 'lines'\nx = 'batch'\nmetrics = ['knn']", "knn, %"),
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
    let of = |values: &[f64]| Summary::new(values.iter().map(|value| Metric::new("x", *value, 1)).collect());
    let summary = of(&[1.0, 2.0, 4.0]).unwrap();
    assert_eq!(summary.mean, 7.0 / 3.0);
    assert!((summary.spread.unwrap() - 1.527_525_231_651_946_6).abs() < 1e-12);
    assert_eq!(of(&[1.0]).unwrap().spread, None);
    assert_eq!(of(&[]), None);
}

#[test]
fn a_reference_that_depends_on_the_row_is_left_out_and_each_protocol_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let axis = "[[axis]]\nname = 'dataset'\nkey = 'dataset'\nvalues = ['digits', { name = 'subset', train = 9, of = 'digits' }]";
    let (file, cells) = finished(folder.path(), axis);
    let result = cells[1].dir.join("result.json");
    rewrite(&result, "40.0", "45.0");
    rewrite(&result, "360", "90");
    let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let table = report.markdown().unwrap();
    assert!(
        table.contains("| raw pixels | – | 50.0 |") && table.contains("| largest class | 10.0 |"),
        "{table}"
    );
    assert!(
        table.contains("Not the same for all rows, so in results.csv alone: raw pixels."),
        "{table}"
    );
    assert!(
        table.contains(
            "`digits`, 1 epochs: frozen features of 1437 labelled samples, none augmented, evaluated on 360 test samples"
        ),
        "{table}"
    );
    assert!(
        table.contains("`subset of digits`, 1 epochs: frozen features of 1437 labelled samples, none augmented, evaluated on 90 test samples"),
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
        "{\"alignment\":0.2,\"effective_rank\":1.25,\"mean_cosine\":0.3,\"dimensions\":16}",
    );
    let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let expected = "seed 0: collapsed: the projections have an effective rank of 1.25 and a mean cosine of 0.30\n";
    assert!(report.markdown().unwrap().ends_with(expected));
}

#[test]
fn lines_of_an_earlier_attempt_are_not_taken_for_those_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let (file, cells) = finished(folder.path(), "");
    let metrics = cells[0].dir.join("metrics.jsonl");
    rewrite(&metrics, "\"epoch\":1", "\"epoch\":7");
    let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let error = report.markdown().unwrap_err().to_string();
    let expected =
        "metrics.jsonl: ends with epoch 7, and the run with epoch 1: remove the run's directory to run it again";
    assert!(error.ends_with(expected), "{error}");
}

/// The segments of a run of a program, as `result.json` has them.
fn segments(binary: &str, threads: i32, steps: &[u64]) -> serde_json::Value {
    let segment = |from: &u64| {
        serde_json::json!({
            "command": "fmicl train", "folder": "/", "start": "2026-01-01T00:00:00Z", "end": null, "from_step": from,
            "host": "h", "processor": "p", "level": "avx2", "limits": { "ONEDNN_MAX_CPU_ISA": "AVX2" }, "device": "Cpu",
            "threads": threads, "processes": 1, "libtorch": "2.11.0", "version": "0.1.0", "commit": null, "binary": binary,
            "crates": {},
        })
    };
    steps.iter().map(segment).collect()
}

#[test]
fn a_table_of_two_builds_says_which_runs_are_of_which() {
    let folder = tempfile::tempdir().unwrap();
    let axis = "seeds = [0, 1]\n[[axis]]\nname = 'd'\nkey = 'objective.divergence'\nvalues = ['kl', 'js', 'vlc']";
    let (file, cells) = finished(folder.path(), axis);
    let report = || Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let give = |cell: &Cell, segments: &serde_json::Value| {
        let path = cell.dir.join("result.json");
        let mut result: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        result["segments"] = segments.clone();
        fs::write(path, result.to_string()).unwrap();
    };
    let (old, new) = ("a".repeat(64), "b".repeat(64));
    cells.iter().for_each(|cell| give(cell, &segments(&old, 2, &[0])));
    let table = report().markdown().unwrap();
    let shared = "All runs: version 0.1.0, commit unknown, binary aaaaaaaaaaaa, libtorch 2.11.0, level avx2 \
                  ONEDNN_MAX_CPU_ISA=AVX2, device Cpu, threads 2, processes 1.\n";
    assert!(table.contains(shared) && !table.contains("Not the same"), "{table}");

    // One was begun anew by the new program before it had a checkpoint, one went on with it, one had more threads.
    let both = |steps: [u64; 2]| {
        let [first, second] = [(&old, steps[0]), (&new, steps[1])].map(|(binary, step)| segments(binary, 2, &[step]));
        serde_json::Value::from([first.as_array().unwrap().clone(), second.as_array().unwrap().clone()].concat())
    };
    give(&cells[3], &both([0, 0]));
    give(&cells[4], &both([0, 7]));
    give(&cells[5], &segments(&new, 4, &[0]));
    let table = report().markdown().unwrap();
    let differs = "Not the same in all runs, which can change numbers: binary: aaaaaaaaaaaa in `kl, \
                   seed 0`, `kl, seed 1`, `js, seed 0`; aaaaaaaaaaaa, then bbbbbbbbbbbb in `vlc, seed 0`; bbbbbbbbbbbb in \
                   `js, seed 1`, `vlc, seed 1`. threads: 2 in `kl, seed 0`, `kl, seed 1`, `js, seed 0` and 2 more; 4 in \
                   `vlc, seed 1`.\n";
    assert!(table.contains(differs), "{table}");
    report().write(folder.path()).unwrap();
    let csv = fs::read_to_string(folder.path().join("results.csv")).unwrap();
    let head = csv.lines().next().unwrap();
    assert!(
        head.ends_with("version,commit,binary,libtorch,level,device,threads,processes,directory"),
        "{head}"
    );
    let line = csv.lines().nth(5).unwrap();
    assert!(line.contains(",\"aaaaaaaaaaaa, then bbbbbbbbbbbb\","), "{line}");
}

#[test]
fn a_run_that_is_no_better_than_always_answering_the_largest_class_is_not_bold_and_its_level_is_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let axis = "seeds = [0]\n[[axis]]\nname = 'lr'\nkey = 'train.lr'\nvalues = [0.1, 0.2]\n\
                [report]\nmetrics = ['knn', 'knn.few-labels', 'alignment']";
    let (file, cells) = finished(folder.path(), axis);
    let level = |percent: f64| {
        for cell in &cells {
            finish(cell, 0.59, 0.2);
            let path = cell.dir.join("result.json");
            rewrite(
                &path,
                "\"test_in_training\":0",
                "\"test_in_training\":12,\"unreadable\":3",
            );
            let mut result: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            for judged in result["reports"].as_array_mut().unwrap() {
                judged["metrics"][0]["blind"] = percent.into();
                judged["metrics"][1]["blind"] = 12.5.into();
                judged["metrics"][1]["value"] = 12.0.into();
            }
            fs::write(path, result.to_string()).unwrap();
        }
        let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
        report.markdown().unwrap()
    };
    let table = level(60.0);
    assert!(
        table.contains("| --- | --- | --- | --- |\n| largest class | 60.0 | 12.5 | – |\n"),
        "{table}"
    );
    assert!(table.contains("| 0.1 | 59.0 | 12.0 | **0.200** |"), "{table}");
    assert!(
        table.contains(
            "on 360 test samples (3 samples of both splits could not be read), of which 12 are training samples."
        ),
        "{table}"
    );
    let table = level(58.0);
    assert!(table.contains("| 0.1 | **59.0** | 12.0 |"), "{table}");
}

#[test]
fn a_metric_of_any_evaluation_is_a_column_and_one_that_no_run_has_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let axis = "set = ['evaluations.again=knn']\n[report]\nmetrics = ['again.STS-B dev', 'train.alignment', 'alignment', 'again.medium']";
    let (file, cells) = finished(folder.path(), axis);
    for cell in &cells {
        let path = cell.dir.join("result.json");
        let mut result: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        result["reports"] = serde_json::json!([{
            "evaluation": "again", "representation": "trained encoder", "title": "correlation", "main": "STS-B dev", "notes": [],
            "metrics": [
                { "name": "STS-B dev", "value": 71.255, "higher_is_better": true, "digits": 2 },
                { "name": "average", "value": null, "higher_is_better": true, "digits": 2 },
                { "name": "alignment", "value": 0.5, "higher_is_better": false, "digits": 3 },
            ],
        }]);
        fs::write(path, result.to_string()).unwrap();
    }
    let report = Report::new(Path::new("sweep.toml"), &file, None, &cells).unwrap();
    let table = report.markdown().unwrap();
    assert!(
        table.contains("|  | again.STS-B dev | train.alignment | alignment | again.medium |"),
        "{table}"
    );
    assert!(
        table.contains("|  | 71.25 | 0.200 | – | – |") || table.contains("|  | 71.26 | 0.200 | – | – |"),
        "{table}"
    );
    let ambiguous = "No column: several metrics are named `alignment`: write again.alignment or train.alignment.\n";
    assert!(table.contains(ambiguous), "{table}");
    let unknown =
        "No column: no metric named `again.medium` (did you mean `again.alignment`?); there are again.STS-B dev, ";
    assert!(table.contains(unknown), "{table}");
}

#[test]
fn printed_numbers_stand_beside_those_of_the_same_row_column_and_metric() {
    let folder = tempfile::tempdir().unwrap();
    let printed = "[reference]\nsource = 'A. Author, table 3.'\n[reference.numbers.knn]\n\
                   kl = { small = '90.30 (0.19)', large = 70 }\n'tsallis alpha=2.5' = { large = '8.50' }";
    let file = write(folder.path(), &format!("{SWEEP}\n{printed}"));
    let table = |only: &[String], scale: Option<&str>| {
        let cells = grid::cells(&file, scale, &[], only, folder.path()).unwrap();
        cells.iter().for_each(|cell| finish(cell, 0.5, 0.2));
        let report = Report::new(Path::new("sweep.toml"), &file, scale, &cells).unwrap();
        report.write(folder.path()).unwrap();
        let csv = fs::read_to_string(folder.path().join("results.csv")).unwrap();
        (report.markdown().unwrap(), csv)
    };
    let (all, csv) = table(&[], None);
    let rows = "\
| kl | **50.0** ± 0.0, paper: 90.30 (0.19) | **0.200** ± 0.000 | **50.0** ± 0.0, paper: 70 | **0.200** ± 0.000 |
| tsallis alpha=2.5 | **50.0** ± 0.0 | **0.200** ± 0.000 | **50.0** ± 0.0, paper: 8.50 | **0.200** ± 0.000 |

paper: A. Author, table 3.

Metrics of";
    assert!(all.contains(rows), "{all}");
    let fields = |line: &str| line.split(',').map(str::to_string).collect::<Vec<_>>();
    let lines: Vec<Vec<String>> = csv.lines().map(fields).collect();
    let at = lines[0].iter().position(|head| head == "paper_knn").unwrap();
    assert_eq!(lines[0][at + 1..at + 3], ["paper_knn_deviation", "epochs"]);
    let numbers: Vec<&[String]> = lines[1..].iter().map(|line| &line[at..at + 2]).collect();
    assert_eq!(numbers[..3], [["90.30", "0.19"], ["90.30", "0.19"], ["70", ""]]);
    assert_eq!(
        (numbers[5], numbers[7]),
        (&["".to_string(), "".into()][..], &["8.50".to_string(), "".into()][..])
    );

    let (part, _) = table(&["size=small".into()], Some("tiny"));
    let caption = "\npaper: A. Author, table 3. Its numbers are of the full size, not of the scale tiny. 2 of its 3 numbers belong to \
                   rows or columns that this table does not have.\n";
    assert!(part.contains(caption), "{part}");
}
