//! A plugin to copy: the crate's parts, one file each.

mod reverse_kl;

pub use reverse_kl::ReverseKl;
