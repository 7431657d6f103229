//! The command line `fmicl` as a library: an outsider's own binary links its plugins and calls [`cli`].
//!
//! | to read | in |
//! |---|---|
//! | the command line and its exit codes | [`cli`] |
//! | a verb of it, as a crate adds one | [`command`], [`testing`] |
//! | the experiment file, key by key | [`config::Experiment`] |
//! | which crates' parts every binary has | `parts.rs` |
//! | training and evaluation | [`train`], [`eval`] |
//! | how processes meet that a launcher has started | `together.rs` |
//! | many experiments and their table | [`sweep`] |
//! | the paper's claims, computed | [`verify`] |

mod cli;
pub mod command;
mod commands;
pub mod config;
mod data;
mod device;
mod disk;
pub mod eval;
mod home;
mod log;
mod panics;
mod parts;
pub mod pickle;
mod precision;
mod provenance;
mod shell;
pub mod sweep;
#[cfg(test)]
mod test_parts;
pub mod testing;
mod together;
pub mod train;
pub mod verify;
mod weights;
mod wrap;

pub use cli::{cli, cli_of};
pub use data::Splits;
pub use device::DeviceChoice;
pub use precision::Precision;
