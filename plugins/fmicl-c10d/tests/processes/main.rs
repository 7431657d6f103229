//! Several processes on this machine.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;
mod evaluation;
mod failures;
mod faults;
mod meeting;
mod namespaces;
mod same_as_one;
mod training;
