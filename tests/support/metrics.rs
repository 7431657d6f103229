//! Metrics of a run.

use std::path::Path;

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
