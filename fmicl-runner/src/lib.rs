#![doc = include_str!("../README.md")]

mod cli;
pub mod command;
mod commands;
pub mod config;
pub mod data;
mod device;
pub mod document;
pub mod eval;
pub mod home;
mod left_out;
pub mod log;
pub mod out;
mod panics;
mod parts;
#[cfg(feature = "plot")]
pub mod plot;
mod precision;
pub mod run;
pub mod shell;
pub mod shown;
#[cfg(test)]
mod test_parts;
pub mod testing;
mod together;
pub mod trackers;
pub mod train;
pub mod weights;
pub mod wrap;

pub use cli::{cli, cli_of};
pub use commands::{Checked, checked, train_and_judge};
pub use data::Splits;
pub use device::DeviceChoice;
pub use left_out::with_a_way_out;
pub use precision::Precision;
pub use together::Together;
