//! A plugin to copy: the crate's parts, one file each.

mod posterize;
mod reverse_kl;

pub use posterize::Posterize;
pub use reverse_kl::ReverseKl;
