//! Numbers beside those of the runs: printed ones, and those of references such as raw pixels.

use super::{SWEEP, finish, finished, rewrite, write};
use crate::grid;
use crate::report::Report;
use std::fs;
use std::path::Path;

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
