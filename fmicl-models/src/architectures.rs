//! Architectures, one file each.

mod simclr;

pub use simclr::SimClr;
