//! A plugin to copy: the crate's parts, one file each.

mod csv;
mod reverse_kl;

pub use csv::Csv;
pub use reverse_kl::ReverseKl;
