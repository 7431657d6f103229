//! The command line `fmicl` as a library: an outsider's own binary links its plugins and calls [`cli`].
//!
//! | to read | in |
//! |---|---|
//! | the subcommands and their exit codes | [`cli`] |
//! | the experiment file, key by key | [`config::Experiment`] |
//! | which crates' parts the binary has | `parts.rs` |
//! | a run on the disk: directory, checkpoints, model | [`run`] |
//! | the trackers | `trackers.rs` |
//! | training and evaluation | [`train`], [`eval`] |
//! | how processes meet that a launcher has started | `together.rs` |
//! | many experiments and their table | [`sweep`] |
//! | the paper's claims, computed | [`verify`] |

mod cli;
mod commands;
pub mod config;
mod data;
mod device;
mod disk;
pub mod eval;
mod heap;
mod home;
mod log;
mod panics;
mod parts;
pub mod pickle;
mod precision;
pub mod run;
mod shell;
pub mod sweep;
#[cfg(test)]
mod testing;
mod together;
mod trackers;
pub mod train;
pub mod verify;
mod weights;
mod wrap;

pub use cli::{cli, cli_of};
pub use commands::train_and_judge;
pub use data::Splits;
pub use device::DeviceChoice;
pub use heap::give_back_freed_memory;
pub use precision::Precision;
