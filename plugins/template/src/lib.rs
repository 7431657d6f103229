#![doc = include_str!("../README.md")]

mod reverse_kl;

pub use reverse_kl::ReverseKl;
