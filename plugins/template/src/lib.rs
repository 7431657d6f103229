#![doc = include_str!("../README.md")]

mod csv;
mod posterize;
mod reverse_kl;

pub use csv::Csv;
pub use posterize::Posterize;
pub use reverse_kl::ReverseKl;
