#![doc = include_str!("../README.md")]

mod confusion;

pub use confusion::{By, Confusion};
