#![doc = include_str!("../README.md")]

mod blame;
mod engine;
mod group;
mod joined;
mod launched;
mod processes;
mod sums;

pub use engine::{Backend, C10d};
pub use launched::{Agent, Launched};
