//! Backbones, one file each.

mod resnet;
mod vit;

pub(crate) use resnet::resnet_of;
pub use resnet::{ResNet, Stem};
pub use vit::Vit;
