//! Programs and machines of the runs, below the table and in the CSV.

use super::finished;
use crate::cell::Cell;
use crate::report::Report;
use std::fs;
use std::path::Path;

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
        head.ends_with("version,commit,binary,libtorch,level,device,threads,processes,directory,schema"),
        "{head}"
    );
    let line = csv.lines().nth(5).unwrap();
    assert!(line.ends_with(",1"), "{line}");
    assert!(line.contains(",\"aaaaaaaaaaaa, then bbbbbbbbbbbb\","), "{line}");
}
