//! A disk that is full, refuses to be written, or is read-only: it costs a run no more than time.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[path = "support/bench.rs"]
mod bench;
#[path = "support/crash.rs"]
mod crash;
#[path = "support/experiment.rs"]
mod experiment;
#[path = "support/metrics.rs"]
mod metrics;
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
#[path = "support/state.rs"]
mod state;

use bench::{Bench, ended, wait_until};
use crash::often;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};

/// What was there is out of reach, and nothing can be written in its place.
fn block(bench: &Bench) {
    fs::rename(bench.path("run/checkpoints"), bench.path("run/aside")).unwrap();
    fs::write(bench.path("run/checkpoints"), "").unwrap();
}

fn wait_for_a_checkpoint(bench: &Bench, child: &mut Child) {
    let is_whole = |path: &PathBuf| path.join("checkpoint.json").is_file() && path.extension().is_none();
    wait_until(child, "a checkpoint", || bench.checkpoints("run").iter().any(is_whole));
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_tried_again_at_the_next() {
    const LAST: u64 = 100;
    let bench = Bench::new(|text| often(text).replace("keep = 2,", "keep = 2, max_failed_checkpoints = 1000,"));
    bench.finish("whole", LAST);
    let mut child = bench.start("run", LAST);
    wait_for_a_checkpoint(&bench, &mut child);
    block(&bench);
    let log = bench.path("run/log.txt");
    wait_until(&mut child, "a failure", || {
        fs::read_to_string(&log)
            .unwrap()
            .contains("no checkpoint could be written: run/checkpoints/")
    });
    fs::remove_file(bench.path("run/checkpoints")).unwrap();
    fs::rename(bench.path("run/aside"), bench.path("run/checkpoints")).unwrap();
    let (code, stderr) = ended(&child.wait_with_output().unwrap());
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("the next one is tried: 1 of at most 1000 failures in a row"),
        "{stderr}"
    );
    bench.same("whole", "run", LAST);
}

#[test]
fn a_run_ends_where_too_many_checkpoints_in_a_row_cannot_be_written() {
    let bench = Bench::new(often);
    let mut child = bench.start("run", 300);
    wait_for_a_checkpoint(&bench, &mut child);
    block(&bench);
    let (code, stderr) = ended(&child.wait_with_output().unwrap());
    assert_eq!(code, 1, "{stderr}");
    for count in 1..=3 {
        let said = format!("{count} of at most 3 failures in a row");
        assert_eq!(stderr.matches(&said).count(), 1, "{stderr}");
    }
    assert!(
        stderr
            .lines()
            .last()
            .unwrap()
            .starts_with("error: no checkpoint could be written: run/checkpoints/"),
        "{stderr}"
    );
}

#[test]
fn the_last_checkpoint_of_a_run_is_written_or_an_error_and_the_one_before_stays() {
    let bench = Bench::new(str::to_string);
    bench.finish("whole", 7);
    bench.finish("run", 2);
    // Files of at most 32 KiB.
    let limited = "ulimit -f 64; exec \"$@\"";
    let train = bench.train("run", 5);
    let mut command = Command::new("sh");
    command
        .args(["-c", limited, "sh"])
        .arg(train.get_program())
        .args(train.get_args());
    command.current_dir(bench.folder.path()).env("OMP_NUM_THREADS", "1");
    let (code, stderr) = ended(&command.output().unwrap());
    assert_eq!(code, 1, "{stderr}");
    let last = stderr.lines().last().unwrap();
    assert!(
        last.starts_with("error: no checkpoint could be written: run/checkpoints/"),
        "{stderr}"
    );
    assert!(
        last.ends_with("File too large (os error 27); the last one is run/checkpoints/step-0000000002"),
        "{stderr}"
    );
    assert!(!bench.is_writing("run"));
    bench.finish("run", 7);
    bench.same("whole", "run", 7);
}

/// In a namespace of its own, where a disk can be mounted: one that is full, then one that is read-only, then a good one.
const DISK: &str = r#"
set -u
mkdir disk && mount -t tmpfs -o size=64M disk disk || exit 99
"$FMICL" train x.toml --out disk/run --stop-after 2 || exit 1
head -c 100M /dev/zero > disk/filler 2> /dev/null
"$FMICL" train x.toml --out disk/run --resume auto --stop-after 5 2> full; echo $? >> full
rm disk/filler
mount -o remount,ro disk || exit 98
"$FMICL" train x.toml --out disk/run --resume auto --stop-after 5 2> read-only; echo $? >> read-only
mount -o remount,rw disk
"$FMICL" train x.toml --out disk/run --resume auto --stop-after 7 || exit 2
cp -r disk/run run
"#;

#[test]
fn a_disk_that_is_full_or_read_only_loses_nothing() {
    let bench = Bench::new(str::to_string);
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", DISK]);
    command.current_dir(bench.folder.path()).env("OMP_NUM_THREADS", "1");
    let output = command.env("FMICL", env!("CARGO_BIN_EXE_fmicl")).output();
    let Some(output) = output
        .ok()
        .filter(|output| ![Some(1), Some(99)].contains(&output.status.code()))
    else {
        println!("skipped: no user namespaces here in which a disk could be mounted");
        return;
    };
    let (code, stderr) = ended(&output);
    assert_eq!(code, 0, "{stderr}");
    let read = |name: &str| fs::read_to_string(bench.path(name)).unwrap();
    let full = read("full");
    assert!(
        full.contains("No space left on device (os error 28)") && full.ends_with("\n1\n"),
        "{full}"
    );
    let read_only = read("read-only");
    let refused = "error: disk/run/.fmicl.lock: Read-only file system (os error 30)\n1\n";
    assert!(read_only.ends_with(refused), "{read_only}");
    bench.finish("whole", 7);
    bench.same("whole", "run", 7);
}

#[test]
fn what_is_written_of_a_run_is_whole_or_one_line_and_nothing_is_left() {
    let bench = Bench::new(str::to_string);
    bench.finish("run", 2);
    let golden = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/plugins/fmicl-export/golden/checkpoint.pth"
    );
    let commands: [&[&str]; 6] = [
        &["export", "run", "--out", "out/c.pt"],
        &["export", "run", "--out", "out/c.safetensors"],
        &["features", "run", "--out", "out"],
        &["features", "run", "--out", "out", "--format", "safetensors"],
        &["embed", "run", "--out", "out/v.npy"],
        &["convert", golden, "--out", "out/w.safetensors"],
    ];
    // Files of at most 512 bytes.
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
    let photo = photo(&bench);
    for args in commands {
        let out = bench.path("out");
        fs::create_dir(&out).unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", limited, "sh", env!("CARGO_BIN_EXE_fmicl")])
            .args(args);
        command.current_dir(bench.folder.path()).env("OMP_NUM_THREADS", "1");
        command.stdin(fs::File::open(&photo).unwrap());
        let (code, stderr) = ended(&command.output().unwrap());
        assert_eq!(code, 1, "{args:?}: {stderr}");
        let lines: Vec<_> = stderr.lines().filter(|line| !line.contains("WARN")).collect();
        assert!(
            lines.len() == 1
                && lines[0].starts_with("error: out/")
                && lines[0].ends_with(": File too large (os error 27)"),
            "{args:?}: {stderr}"
        );
        let left: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{args:?} left {left:?}");
        fs::remove_dir(&out).unwrap();
    }
}

/// A list of photos, 40 times the same.
fn photo(bench: &Bench) -> PathBuf {
    use fmicl_core::{Dataset, Part};
    let photos: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    photos.example(&bench.path("photos")).unwrap();
    let list = bench.path("list");
    fs::write(&list, "photos/train/one/0.png\n".repeat(40)).unwrap();
    list
}
