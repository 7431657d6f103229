//! The engine and the command line of `fmicl` as a library: a binary links its plugins and calls [`cli`].
//!
//! | to read | in |
//! |---|---|
//! | the command line and its exit codes | [`cli`] |
//! | a verb of it, as a crate adds one | [`command`], [`testing`] |
//! | the experiment file, key by key | [`config::Experiment`] |
//! | which crates' parts every binary has | `parts.rs` |
//! | a run on the disk: directory, checkpoints, model | [`run`] |
//! | training and evaluation | [`train`], [`eval`] |
//! | the data of an experiment | [`data`] |
//! | how processes meet that a launcher has started | [`Together`] |
//! | where a run's numbers come from | [`provenance`] |
//! | weights, files that are whole or not there, paths, lines on a terminal | [`weights`], [`disk`], [`home`], [`wrap`], [`log`] |

mod cli;
pub mod command;
mod commands;
pub mod config;
pub mod data;
mod device;
pub mod disk;
pub mod eval;
pub mod home;
mod left_out;
pub mod log;
mod panics;
mod parts;
mod precision;
pub mod run;
mod shell;
#[cfg(test)]
mod test_parts;
pub mod testing;
mod together;
pub mod train;
pub mod weights;
pub mod wrap;

pub use cli::{cli, cli_of};
pub use commands::summary;
pub use data::Splits;
pub use device::DeviceChoice;
pub use precision::Precision;
pub use together::Together;
