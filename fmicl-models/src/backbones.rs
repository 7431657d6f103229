//! Backbones, one file each.

mod resnet;
mod vit;

pub use resnet::{ResNet, Stem};
pub use vit::Vit;
