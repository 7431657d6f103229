//! Layers, one file each, with PyTorch's initialisation and names.

mod conv;
mod linear;
mod mlp;
mod norm;

pub use conv::{ConvNorm, ConvSize};
pub use linear::linear;
pub use mlp::{Mlp, Norms};
pub use norm::BatchNorm;
