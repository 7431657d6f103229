//! Datasets in shards train as the same images in files do.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[path = "support/bench.rs"]
mod bench;
#[expect(dead_code, reason = "nothing is killed while it writes")]
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
use fmicl_core::{Dataset, Part, Samples, Split};
use fmicl_data::{ImageViews, Loader};
use metrics::metrics;
use state::steps;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// Steps of six of twenty images: the last is in the middle of an epoch.
const LAST: u64 = 40;

/// The tiny experiment on a dataset.
fn on(text: &str, dataset: &str) -> String {
    let digits = r#"{ name = "subset", train = 24, of = "digits" }"#;
    assert!(text.contains(digits), "{text}");
    often(text)
        .replace(digits, dataset)
        .replace("batch_size = 8,", "batch_size = 6,")
}

/// A folder with images in files, `images`.
fn files() -> Bench {
    let bench = Bench::new(|text| on(text, r#"{ name = "image-folder", root = "images" }"#));
    let dataset: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    dataset.example(&bench.path("images")).unwrap();
    bench
}

/// A folder with the shards that `fmicl data pack` makes of them.
fn shards(files: &Bench) -> Bench {
    let bench = Bench::new(|text| on(text, r#"{ name = "webdataset", root = "shards" }"#));
    pack(files, &bench.path("shards"));
    bench
}

fn pack(files: &Bench, out: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    let packed = command
        .current_dir(files.folder.path())
        .args(["data", "pack", "x.toml", "--out"])
        .arg(out);
    let output = packed.output().unwrap();
    let (code, stderr) = ended(&output);
    assert_eq!(code, 0, "{stderr}");
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = format!(
        "in an experiment: dataset = {{ name = \"webdataset\", root = \"{}\" }}\n",
        out.display()
    );
    assert!(said.ends_with(&expected), "{said}");
}

#[test]
fn a_run_on_shards_has_the_numbers_of_files_and_goes_on_from_a_kill_in_an_epoch_to_the_bit() {
    let files = files();
    let shards = shards(&files);
    files.finish("whole", LAST);
    shards.finish("whole", LAST);
    let [in_files, in_shards] = [&files, &shards].map(|bench| bench.path("whole"));
    assert_eq!(metrics(&in_files), metrics(&in_shards));
    assert_eq!(steps(&in_files), steps(&in_shards));

    let mut child = shards.start("killed", LAST);
    wait_until(&mut child, "a checkpoint in the middle of an epoch", || {
        shards.checkpoints("killed").iter().any(|path| {
            let step = path.to_str().unwrap().rsplit('-').next().unwrap().parse::<u64>();
            step.is_ok_and(|step| step > 3 && step % 3 != 0)
        })
    });
    child.kill().unwrap();
    child.wait().unwrap();
    shards.finish("killed", LAST);
    shards.same("whole", "killed", LAST);
}

#[test]
fn a_run_does_not_go_on_with_other_shards() {
    let files = files();
    let shards = shards(&files);
    shards.finish("run", 2);
    fs::remove_file(files.path("images/train/one/9.png")).unwrap();
    fs::remove_dir_all(shards.path("shards")).unwrap();
    pack(&files, &shards.path("shards"));
    let (code, stderr) = ended(&shards.train("run", 4).output().unwrap());
    let expected = "the dataset has 19 samples and had 20: `train-000000.tar` has 19 and had 20";
    assert!(code != 0 && stderr.contains(expected), "{stderr}");
}

#[test]
fn two_processes_read_other_samples_of_the_same_shards() {
    let folder = tempfile::tempdir().unwrap();
    let dataset: Part<dyn Dataset> = Part::new("webdataset", toml::Table::new()).unwrap();
    let options = dataset.example(folder.path()).unwrap();
    let dataset: Part<dyn Dataset> = Part::new("webdataset", options).unwrap();
    let samples: Arc<dyn Samples> = dataset.open(Split::Pretrain).unwrap().into();
    let views = Arc::new(ImageViews::new("size = 8".parse().unwrap()).unwrap());
    let batches = |rank| {
        let loader = Loader::new(samples.clone(), views.clone(), 2, 10, 3, 1).unwrap();
        let batches = loader.share(rank, 2).unwrap().epoch(0, 0).unwrap();
        batches.flat_map(|batch| batch.unwrap().indices).collect::<Vec<_>>()
    };
    let (first, second) = (batches(0), batches(1));
    assert_eq!((first.len(), second.len()), (10, 10));
    let mut all = [first, second].concat();
    all.sort_unstable();
    assert_eq!(all, (0..20).collect::<Vec<_>>());
}
