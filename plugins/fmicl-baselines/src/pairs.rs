//! What the objectives share: cosines of pairs.

use tch::{Kind, Tensor};

/// The cosine of each pair of unit-length rows `[N, d]`: `[N]`.
pub fn positive_cosines(x: &Tensor, y: &Tensor) -> Tensor {
    (x * y).sum_dim_intlist([1].as_slice(), false, x.kind())
}

/// The square matrix with `value` on its diagonal: no feature is a negative of its own, or of its positive.
pub fn without_diagonal(matrix: &Tensor, value: f64) -> Tensor {
    let diagonal = matrix
        .detach()
        .zeros_like()
        .fill_diagonal_(1.0, false)
        .to_kind(Kind::Bool);
    matrix.masked_fill(&diagonal, value)
}
