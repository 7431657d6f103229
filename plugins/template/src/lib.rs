#![doc = include_str!("../README.md")]

mod posterize;
mod reverse_kl;

pub use posterize::Posterize;
pub use reverse_kl::ReverseKl;
