//! Several processes on this machine.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;
mod evaluation;
mod failures;
mod faults;
mod losses;
mod meeting;
mod namespaces;
mod same_as_one;
mod training;

// What the processes train, and use.
use {fmicl_baselines as _, fmicl_c10d as _, fmicl_export as _, fmicl_probes as _, fmicl_shards as _, fmicl_text as _};
