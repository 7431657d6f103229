#![doc = include_str!("../README.md")]

pub mod divergences;
pub mod similarities;
