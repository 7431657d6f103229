//! Checkpoints and steps of a run.

use std::path::Path;

/// The weights of the checkpoint after `step` steps, and what training needs besides: the bytes of the files.
pub fn checkpoint(run: &Path, step: u64) -> [Vec<u8>; 2] {
    let folder = run.join(format!("checkpoints/step-{step:010}"));
    ["model", "training"].map(|file| std::fs::read(folder.join(format!("{file}.safetensors"))).unwrap())
}

/// The lines of `steps.jsonl`.
pub fn steps(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("steps.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
