//! What a run keeps of itself: which program computed it and on what, what it was trained on, and its result.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/bench.rs"]
mod bench;
#[path = "record/dataset.rs"]
mod dataset;
#[path = "support/experiment.rs"]
mod experiment;
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
#[path = "record/replay.rs"]
mod replay;

use bench::{Bench, ended};
use fmicl_core::{Dataset, Part};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_string()
}

/// A bench whose dataset is the example of a format, below `data`, with more options.
fn of_example(name: &str, more: &str, change: impl Fn(&str) -> String) -> Bench {
    let dataset = r#"{ name = "subset", train = 24, of = "digits" }"#;
    let bench = Bench::new(|text| {
        assert!(text.contains(dataset));
        change(&text.replace(dataset, &format!("{{ name = \"{name}\", {more} }}")))
    });
    let part: Part<dyn Dataset> = Part::new(name, toml::Table::new()).unwrap();
    part.example(&bench.path("data")).unwrap();
    bench
}

fn of_photos() -> Bench {
    of_example("image-folder", "root = 'data'", str::to_string)
}

/// What `--resume` says: the last line of a run that does not go on.
fn refused(bench: &Bench, sets: &[&str]) -> String {
    let mut command = bench.train("run", 100);
    sets.iter().for_each(|set| {
        command.args(["--set", set]);
    });
    let (code, stderr) = ended(&command.output().unwrap());
    assert_eq!(code, 1, "{stderr}");
    stderr.lines().last().unwrap().to_string()
}

#[test]
fn each_command_is_a_segment_with_the_program_the_machine_and_the_times() {
    let bench = Bench::new(str::to_string);
    let run = bench.path("run");
    bench.finish("run", 2);
    let limited = bench
        .train("run", 100)
        .env("FMICL_SIMD", "portable")
        .env("ONEDNN_MAX_CPU_ISA", "SSE41")
        .output()
        .unwrap();
    assert_eq!(ended(&limited).0, 0);
    let kept = json(&run.join("provenance.json"));
    let result = json(&run.join("result.json"));
    assert_eq!(result["segments"], kept, "one record");
    let segments = kept.as_array().unwrap();
    assert_eq!(segments.len(), 2);
    let of = |key: &str| [&segments[0][key], &segments[1][key]];
    assert_eq!(of("schema"), [1, 1]);
    assert_eq!(of("from_step"), [0, 2]);
    assert_eq!(of("binary"), [&*sha256(Path::new(env!("CARGO_BIN_EXE_fmicl"))); 2]);
    assert_eq!(of("libtorch"), ["2.11.0"; 2]);
    assert_eq!(of("threads"), [1, 1]);
    assert_eq!(
        of("limits"),
        [
            &serde_json::json!({}),
            &serde_json::json!({ "FMICL_SIMD": "portable", "ONEDNN_MAX_CPU_ISA": "SSE41" })
        ]
    );
    assert_eq!(of("level")[1], "portable");
    assert!(segments[0]["crates"]["fmicl-baselines"].is_string());
    let ends = " train x.toml --out run --resume auto --stop-after ";
    for (segment, last) in segments.iter().zip(["2", "100"]) {
        assert!(
            segment["command"].as_str().unwrap().ends_with(&format!("{ends}{last}")),
            "{segment}"
        );
        let [start, end] = ["start", "end"].map(|key| segment[key].as_str().unwrap());
        assert!(start < end && end.ends_with('Z'), "{start} {end}");
    }
    assert!(of("end")[0].as_str().unwrap() < of("start")[1].as_str().unwrap());
    let log = fs::read_to_string(run.join("log.txt")).unwrap();
    for segment in segments {
        let text = |key: &str| segment[key].as_str().unwrap();
        let started = format!(
            " started {}: {}; in {}, on {} (",
            text("start"),
            text("command"),
            text("folder"),
            text("host")
        );
        assert!(log.contains(&started), "{log}");
        assert!(log.contains(&format!(", binary {}", text("binary"))), "{log}");
        assert!(log.contains(&format!(" ended {}\n", text("end"))), "{log}");
    }
}

#[test]
fn a_run_that_fails_or_is_stopped_has_its_end_and_one_that_is_killed_has_none() {
    let bench = of_photos();
    bench.finish("run", 1);
    let photo = bench.path("data/train/one/3.png");
    let bytes = fs::read(&photo).unwrap();
    fs::write(&photo, b"none").unwrap();
    assert!(refused(&bench, &[]).contains("3.png"));
    fs::write(&photo, bytes).unwrap();
    let mut child = bench.start("run", 100_000);
    let segments = || json(&bench.path("run/provenance.json")).as_array().unwrap().clone();
    bench::wait_until(&mut child, "its segment", || segments().len() == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    let ended: Vec<_> = segments().iter().map(|segment| segment["end"].is_string()).collect();
    assert_eq!(ended, [true, true, false]);
}

#[test]
fn the_result_of_fewer_epochs_stays_until_there_is_that_of_more() {
    let bench = Bench::new(str::to_string);
    bench.finish("run", 100);
    let result = bench.path("run/result.json");
    let more = |last: u64| {
        let output = bench
            .train("run", last)
            .args(["--set", "train.epochs=4"])
            .output()
            .unwrap();
        let (code, stderr) = ended(&output);
        assert_eq!(code, 0, "{stderr}");
        stderr
    };
    let before = fs::read(&result).unwrap();
    more(10);
    assert_eq!(fs::read(&result).unwrap(), before);
    // All steps are taken, and nothing is judged yet: the old result is not taken for the new one.
    more(12);
    assert_eq!(fs::read(&result).unwrap(), before);
    more(100);
    assert_eq!(json(&result)["epochs"], 4);
    assert_eq!(json(&result)["segments"].as_array().unwrap().len(), 4);
    assert!(more(100).contains("this run is finished"));
}

#[test]
fn runs_beside_the_classes_are_in_nobody_s_way() {
    let bench = of_example("image-folder", "root = '.', train = '.', test = '.'", |text| {
        text.replace("epochs = 3", "epochs = 1")
            .replace("warmup_epochs = 1", "warmup_epochs = 0")
    });
    for class in ["one", "two"] {
        fs::rename(bench.path("data/train").join(class), bench.path(class)).unwrap();
    }
    fs::remove_dir_all(bench.path("data")).unwrap();
    let commands: [&[&str]; 6] = [
        &["train", "x.toml", "--stop-after", "1"],
        &["train", "x.toml"],
        &["train", "--resume", "runs/x-1"],
        &["eval", "runs/x-1"],
        &["features", "runs/x-1"],
        &["check", "x.toml"],
    ];
    for args in commands {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
        let output = command
            .current_dir(bench.folder.path())
            .env("OMP_NUM_THREADS", "1")
            .args(args)
            .output();
        let (code, stderr) = ended(&output.unwrap());
        assert_eq!(code, 0, "{args:?}: {stderr}");
    }
    let log = fs::read_to_string(bench.path("runs/x-2/log.txt")).unwrap();
    assert!(
        log.contains("./runs: holds runs or sweeps, and is not a class"),
        "{log}"
    );
}

/// Linux runs a program's file on when nobody finds it any more.
#[cfg(target_os = "linux")]
#[test]
fn all_runs_of_a_sweep_are_of_the_program_that_began_it() {
    let bench = Bench::new(|text| {
        text.replace("epochs = 3", "epochs = 1")
            .replace("warmup_epochs = 1", "warmup_epochs = 0")
    });
    let sweep = "experiment = 'x.toml'\nseeds = [0, 1, 2]";
    fs::write(bench.path("sweep.toml"), sweep).unwrap();
    let built = Path::new(env!("CARGO_BIN_EXE_fmicl"));
    // Below the folder of the original, from which its rpath leads to libtorch.
    let beside = tempfile::tempdir_in(built.parent().unwrap()).unwrap();
    let program = beside.path().join("fmicl");
    fs::copy(built, &program).unwrap();
    let original = sha256(&program);
    let mut command = Command::new(&program);
    command
        .current_dir(bench.folder.path())
        .args(["sweep", "sweep.toml", "--out", "out"]);
    command
        .env("OMP_NUM_THREADS", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (sweep, begun) = (child.id(), Instant::now());
    let mut await_run = |seed: u32| {
        while !bench.path(&format!("out/runs/seed-{seed}/config.toml")).exists() {
            assert!(
                child.try_wait().unwrap().is_none(),
                "the sweep has ended before seed {seed}"
            );
            assert!(
                begun.elapsed() < Duration::from_secs(600),
                "no seed {seed} in ten minutes"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    await_run(0);
    let tasks = fs::read_dir(format!("/proc/{sweep}/task")).unwrap();
    let children: String = tasks
        .map(|task| fs::read_to_string(task.unwrap().path().join("children")).unwrap())
        .collect();
    let run = children.split_whitespace().next().unwrap();
    assert_eq!(fs::read_to_string(format!("/proc/{run}/comm")).unwrap(), "fmicl\n");
    // As a build does it: the file goes, and a while later another has its name.
    fs::remove_file(&program).unwrap();
    await_run(1);
    fs::write(&program, "another program").unwrap();
    let output = child.wait_with_output().unwrap();
    let (code, stderr) = ended(&output);
    assert_eq!(code, 0, "{stderr}{}", String::from_utf8_lossy(&output.stdout));
    for seed in 0..3 {
        let result = json(&bench.path(&format!("out/runs/seed-{seed}/result.json")));
        let segment = &result["segments"][0];
        assert_eq!(segment["binary"], *original, "seed {seed}");
        let command = segment["command"].as_str().unwrap();
        assert!(
            command.starts_with(&format!("{} train ", program.display())),
            "{command}"
        );
    }
    let table = fs::read_to_string(bench.path("out/table.md")).unwrap();
    assert!(table.contains(&format!("binary {},", &original[..12])), "{table}");
}
