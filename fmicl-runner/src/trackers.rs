//! Trackers, one file each.

mod jsonl;

pub use jsonl::Jsonl;
