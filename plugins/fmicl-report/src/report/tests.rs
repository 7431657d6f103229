//! Pages of runs whose files are made up.

use super::*;
use serde_json::json;
use std::fs;
use tempfile::TempDir;

const CONFIG: &str =
    "dataset = \"digits\"\nseed = 0\n[objective]\nname = \"f-micl\"\ndivergence = \"kl\"\n[train]\nepochs = 200\n";
const HOSTILE: &str = "</script><script>alert(1)</script><!-- \u{202e}";

/// A run's directory with these files.
fn run(files: &[(&str, String)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), CONFIG).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn read(folder: &TempDir, name: &str) -> RunFiles {
    RunFiles::read(folder.path(), name.into()).unwrap()
}

fn html(runs: &[RunFiles]) -> String {
    of_runs(runs, None).unwrap().html()
}

fn epochs(count: u32) -> String {
    let line = |epoch: u32| {
        let wave = f64::from(epoch).sin();
        let loss = if epoch == 7 { json!(null) } else { json!(wave) };
        let values = json!({"epoch": epoch, "step": 10 * epoch, "lr": 0.1, "loss": loss, "f_mi": 2.0 * wave, "balance": wave / 3.0,
            "projections": {"of": "x", "alignment": wave, "uniformity": -wave, "effective_rank": 30.0 + wave}, "grad_norm": 1e-7 * (2.0 + wave),
            "images_per_second": 1e4 + wave, "waiting": 0.0, "evaluations": {"knn": {"accuracy": 90.0 + wave}}});
        format!("{values}\n")
    };
    (1..=count).map(line).collect()
}

fn steps(count: u32) -> String {
    let line = |step: u32| {
        let wave = f64::from(step).sin() / 3.0;
        format!(
            "{{\"epoch\":1,\"step\":{step},\"lr\":{},\"loss\":{wave},\"grad_norm\":{}}}\n",
            wave / 7.0,
            wave * wave
        )
    };
    (1..=count).map(line).collect()
}

/// The report of one evaluation, on a class of a hostile name.
fn result(accuracy: f64) -> String {
    let report = |representation: &str, value: f64| {
        json!({"evaluation": "knn", "representation": representation, "title": "kNN", "main": "accuracy", "notes": ["k = 5", HOSTILE],
            "metrics": [{"name": "accuracy", "value": value, "unit": "%", "higher_is_better": true, "digits": 1, "blind": 50.0,
                "interval": {"mean": value, "low": value - 1.0, "high": value + 1.0}}],
            "confusion": [[3, 1], [0, 4]]})
    };
    let reports = [
        ("raw pixels", 61.23),
        ("untrained encoder", 55.0),
        ("trained encoder", accuracy),
    ];
    let reports: Vec<_> = reports.into_iter().map(|(name, value)| report(name, value)).collect();
    let labels =
        json!({"dataset": "digits", "train": 10, "test": 8, "classes": 2, "class_names": [HOSTILE, "two\nlines"]});
    json!({"reports": reports, "labels": labels, "epochs": 200, "seconds": 75.2, "seed": 0}).to_string()
}

#[test]
fn a_page_has_the_numbers_of_the_files_and_the_same_bytes_each_time() {
    let folder = run(&[
        ("metrics.jsonl", epochs(20)),
        ("steps.jsonl", steps(90)),
        ("result.json", result(93.06)),
    ]);
    let page = html(&[read(&folder, "first")]);
    assert_eq!(page, html(&[read(&folder, "first")]));
    for part in [
        ">93.1<small>92.1–94.1</small>",
        ">61.2<small>60.2–62.2</small>",
        "<th scope=\"col\"><bdi>largest class</bdi></th>",
        ">50.0</td>",
        "finished: 200 epochs in 75 s",
        "<h3>Loss</h3>",
        "<h3>f-mutual information</h3>",
        "<h3>Balance</h3>",
        "<h3>Alignment</h3>",
        "<h3>Uniformity</h3>",
        "<h3>Effective rank</h3>",
        "<h3>Gradient norm</h3>",
        "Constant: lr 0.1, waiting 0</p>",
        "<h3>Learning rate of single steps</h3>",
        "<h3>Samples per second</h3>",
        "<h3>knn accuracy, in training</h3>",
        "<h3>Loss of single steps</h3>",
        "divergence = &quot;kl&quot;",
        "fmicl train ",
        "class=\"confusion\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for id in ["results", "curves", "confusion", "config", "again", "left-out"] {
        assert_eq!(page.matches(&format!("<section id=\"{id}\"")).count(), 1, "{id}");
    }
    assert_eq!(
        page.matches("data-chart=").count(),
        page.matches("role=\"img\"").count()
    );
}

#[test]
fn hostile_names_stay_text() {
    let folder = run(&[
        ("result.json", result(93.0)),
        ("metrics.jsonl", "{\"epoch\":1,\"<img src=x>\":1,\"loss\":2}\n".into()),
    ]);
    let page = html(&[read(&folder, HOSTILE)]);
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x") && !page.contains("<!-- "));
    assert!(page.matches("&lt;/script&gt;").count() >= 4);
    let opened = page.matches("<script").count();
    assert_eq!((opened, page.matches("</script>").count()), (2, 2));
}

#[test]
fn a_run_that_is_not_finished_has_a_page_of_what_there_is() {
    let folder = run(&[("metrics.jsonl", epochs(1) + "{\"epoch\":2,\"lo")]);
    let page = html(&[read(&folder, "x")]);
    assert!(page.contains("not finished: epoch 1 of 200 is over") && page.contains("<circle"));
    assert!(page.contains("The table of results is left out: the run has no result: it has not finished (its state: "));
    let page = html(&[read(&run(&[]), "x")]);
    assert!(
        page.contains("no epoch of 200 is over") && page.contains("The curves are left out: "),
        "{page}"
    );
    // Numbers that are none.
    let folder = run(&[("metrics.jsonl", "{\"epoch\":1,\"loss\":null}\n".repeat(3))]);
    assert!(html(&[read(&folder, "x")]).contains("The curves are left out: "));
    let folder = run(&[
        ("metrics.jsonl", "{}\n".into()),
        ("result.json", "{".into()),
        ("provenance.json", "3".into()),
    ]);
    let page = of_runs(&[read(&folder, "x")], None).unwrap();
    let told = page.left_out().join("\n");
    for part in [
        "A damaged line of metrics.jsonl is left out of the curves",
        "The results are left out: ",
        "Provenance is left out: ",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn a_damaged_line_hides_no_curve() {
    let damaged = epochs(3) + "\u{0}\u{0}\u{0}\n" + &epochs(6) + "{\"epoch\":7,\"lo";
    let folder = run(&[("metrics.jsonl", damaged)]);
    let page = of_runs(&[read(&folder, "x")], None).unwrap();
    assert_eq!(page.html().matches("<h3>Loss</h3>").count(), 1);
    let told = page.left_out().join("\n");
    assert!(
        told.contains("A damaged line of metrics.jsonl is left out of the curves"),
        "{told}"
    );
}

#[test]
fn a_run_that_trains_is_told_apart_from_one_that_has_ended() {
    let folder = run(&[("metrics.jsonl", epochs(3))]);
    let held = disk::lock(&folder.path().join(fmicl_core::OUTPUT_MARK)).unwrap();
    let page = html(&[read(&folder, "x")]);
    assert!(page.contains("running: epoch 3 of 200 is over"), "{page}");
    assert!(page.contains("the run is running, and is evaluated when its last epoch is over"));
    drop(held);
    assert!(html(&[read(&folder, "x")]).contains("not finished: epoch 3 of 200 is over"));
}

#[test]
fn several_runs_are_side_by_side_with_their_differences() {
    let [one, two] =
        [93.0, 95.0].map(|accuracy| run(&[("metrics.jsonl", epochs(5)), ("result.json", result(accuracy))]));
    fs::write(two.path().join("config.toml"), CONFIG.replace("kl", "js")).unwrap();
    let page = html(&[read(&one, "one"), read(&two, "two")]);
    assert!(page.contains("<td class=\"own best\">95.0") && page.contains("<td class=\"own\">93.0"));
    assert!(page.contains(
        "objective.divergence</th><td class=\"code\">&quot;kl&quot;</td><td class=\"code\">&quot;js&quot;</td>"
    ));
    assert!(page.contains("data-toggle=\"1\"") && page.contains("data-series=\"1\""));
    // One chart of each number, with two lines.
    assert_eq!(page.matches("<h3>Loss</h3>").count(), 1);
}

#[test]
fn of_runs_on_other_data_none_is_the_best() {
    let other = result(95.0)
        .replace("\"dataset\":\"digits\"", "\"dataset\":\"mnist\"")
        .replace("50.0", "11.0");
    let [one, two] = [result(93.0), other].map(|result| run(&[("result.json", result)]));
    let page = html(&[read(&one, "one"), read(&two, "two")]);
    assert!(
        !page.contains("own best") && page.contains("<td class=\"own\">95.0"),
        "{page}"
    );
    // The commonest class is another one on each.
    assert!(page.contains("<td>50.0, 11.0</td>"), "{page}");
}

#[test]
fn many_epochs_and_steps_of_many_runs_stay_small() {
    let folder = run(&[
        ("metrics.jsonl", epochs(200)),
        ("steps.jsonl", steps(50_000)),
        ("result.json", result(93.0)),
    ]);
    let one = html(&[read(&folder, "x")]);
    assert!(one.len() < 1_000_000, "{}", one.len());
    let runs: Vec<_> = (0..40).map(|number| read(&folder, &format!("run {number}"))).collect();
    let many = html(&runs);
    assert!(many.len() < 5_000_000, "{}", many.len());
}

#[test]
fn a_sweep_has_its_table_and_the_curves_of_each_cell() {
    let folder = tempfile::tempdir().unwrap();
    for (cell, accuracy) in [("kl_seed-0", 93.0), ("kl_seed-1", 94.0), ("js_seed-0", 90.0)] {
        let dir = folder.path().join("runs").join(cell);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("config.toml"), CONFIG).unwrap();
        fs::write(dir.join("metrics.jsonl"), epochs(3)).unwrap();
        fs::write(dir.join("result.json"), result(accuracy)).unwrap();
    }
    assert!(!sweep::is_at(folder.path()));
    fs::write(
        folder.path().join("table.md"),
        "# s\n\n| divergence | knn |\n| --- | --- |\n| kl | **93.5** ± 0.7 |\n",
    )
    .unwrap();
    fs::write(folder.path().join("results.csv"), "divergence,seed,knn\nkl,0,93\n").unwrap();
    fs::write(folder.path().join("plot.svg"), "<svg/>").unwrap();
    assert!(sweep::is_at(folder.path()) && !sweep::is_at(&folder.path().join("runs/kl_seed-0")));
    let page = sweep::page(folder.path(), "s").unwrap().html();
    for part in [
        "93.5</strong> ± 0.7",
        "3 of 3 runs have finished",
        "kl_seed-1",
        "data:image/svg+xml;base64,PHN2Zy8+",
        "results.csv",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // Cells of one setting have one colour: two seeds of `kl`, behind the one of `js`.
    let js = page.matches("data-series=\"0\"").count();
    assert_eq!((js > 0, page.matches("data-series=\"1\"").count()), (true, 2 * js));
}
