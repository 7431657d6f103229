#![doc = include_str!("../README.md")]

mod csv;
mod posterize;
mod weighted_reverse_kl;

pub use csv::Csv;
pub use posterize::Posterize;
pub use weighted_reverse_kl::WeightedReverseKl;
