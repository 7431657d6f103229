//! The datasets, one file each.

mod digits;
mod memory;

pub use digits::Digits;
