//! Backbones, one file each.

mod resnet;

pub use resnet::{ResNet, Stem};
