//! Architectures, one file each.

mod branch;
mod moco;
mod moco_v3;
mod simclr;

pub use moco::Moco;
pub use moco_v3::MocoV3;
pub use simclr::SimClr;
