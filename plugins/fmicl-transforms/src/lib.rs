#![doc = include_str!("../README.md")]

mod solarize;

pub use solarize::Solarize;
