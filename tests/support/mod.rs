//! A tiny run, and what it left.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod experiment;

pub use experiment::EXPERIMENT;

use std::path::Path;

/// The weights of the checkpoint after `step` steps, and what training needs besides: the bytes of the files.
#[allow(dead_code, reason = "not every test compares files")]
pub fn checkpoint(run: &Path, step: u64) -> [Vec<u8>; 2] {
    let folder = run.join(format!("checkpoints/step-{step:010}"));
    ["model", "training"].map(|file| std::fs::read(folder.join(format!("{file}.safetensors"))).unwrap())
}

/// The lines of `steps.jsonl`.
#[allow(dead_code, reason = "not every test compares files")]
pub fn steps(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("steps.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines of `metrics.jsonl`, without what depends on the clock.
pub fn metrics(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let timeless = |line: &str| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        let keys = line.as_object_mut().unwrap();
        keys.remove("images_per_second").unwrap();
        keys.remove("waiting").unwrap();
        line
    };
    text.lines().map(timeless).collect()
}
