//! `gaussian cosine linear`.

mod cosine;
mod gaussian;
mod linear;

pub use cosine::Cosine;
pub use gaussian::Gaussian;
pub use linear::Linear;
