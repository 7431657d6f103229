//! `gaussian cosine linear`.

mod cosine;
mod gaussian;
mod linear;

pub use cosine::Cosine;
pub use gaussian::Gaussian;
pub use linear::Linear;

use tch::Tensor;

/// The slope of an affine map, as a tensor that broadcasts over the cosines.
fn constant(like: &Tensor, slope: f64) -> Tensor {
    Tensor::full([1], slope, (like.kind(), like.device())).expand_as(like)
}
