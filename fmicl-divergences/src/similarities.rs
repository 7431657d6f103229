//! `gaussian cosine linear`.

mod cosine;
mod gaussian;
mod learn;
mod linear;

pub use cosine::Cosine;
pub use gaussian::Gaussian;
pub use learn::Learn;
pub use linear::Linear;
