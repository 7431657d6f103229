#![doc = include_str!("../README.md")]

mod folder;
mod heap;
mod mutate;
mod target;
pub mod targets;

pub use heap::memory_of;
pub use mutate::mutate;
pub use target::{MOST, Target};

// Their parts have targets, too.
use fmicl_probes as _;
use fmicl_shards as _;
use fmicl_text as _;
