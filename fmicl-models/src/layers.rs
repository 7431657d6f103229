//! Layers, one file each, with PyTorch's initialisation and names.

mod conv;
mod linear;
mod mlp;
mod norm;
mod normalize;

pub use conv::{ConvNorm, ConvSize};
pub use linear::linear;
pub use mlp::{Mlp, Norms};
pub use norm::BatchNorm;
pub(crate) use normalize::normalize;
