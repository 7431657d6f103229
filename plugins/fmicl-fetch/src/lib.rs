#![doc = include_str!("../README.md")]

mod checksum;
mod client;
mod data;
mod event;
mod fetch;
mod origin;
mod partial;
mod size;
mod unpack;

pub use event::Event;
pub use fetch::{Fetch, fetch};
pub use size::Bytes;
