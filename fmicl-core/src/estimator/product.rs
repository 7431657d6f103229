//! The matrix products of a tile.

use crate::compute::linear::{by_convolution, linear};
use tch::Tensor;

/// `x y^T + offset`, `[m, n]`, of rows `[m, d]` and `[n, d]`.
pub fn inner_products(x: &Tensor, y: &Tensor, offset: f64) -> Tensor {
    let bias = (offset != 0.0).then(|| Tensor::full([y.size()[0]], offset, (y.kind(), y.device())));
    linear(x, y, bias.as_ref())
}

/// `weights y`, `[m, d]`, of weights `[m, n]` and the rows `y`, transposed, `[d, n]`.
pub fn by_features(weights: &Tensor, transposed: &Tensor) -> Tensor {
    linear(weights, transposed, None)
}

/// `weights^T x`, `[n, d]`, of weights `[m, n]` and the rows `x`, transposed, `[d, m]`.
pub fn by_features_of_rows(weights: &Tensor, transposed: &Tensor) -> Tensor {
    let (m, n, d) = (weights.size()[0], weights.size()[1], transposed.size()[0]);
    if by_convolution(weights, transposed) {
        // A row of n pixels with m channels, this time channels first: again the weights as they lie in memory.
        let pixels = weights.contiguous().view([1, m, 1, n]);
        let kernel = transposed.contiguous().view([d, m, 1, 1]);
        let out = pixels.mkldnn_convolution(&kernel, None::<Tensor>, [0, 0], [1, 1], [1, 1], 1);
        return out.view([d, n]).tr().contiguous();
    }
    weights.tr().matmul(&transposed.tr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unit_rows;
    use tch::Kind;

    #[test]
    fn products_are_matrix_products_at_any_size() {
        for (m, n, d) in [(1, 2, 3), (512, 512, 128), (300, 257, 65), (2000, 700, 1)] {
            let (x, y) = (unit_rows(m, d, Kind::Float, 1), unit_rows(n, d, Kind::Float, 2));
            let far = |a: &Tensor, b: &Tensor| (a - b).abs().max().double_value(&[]);
            let exact = x.to_kind(Kind::Double).matmul(&y.to_kind(Kind::Double).tr());
            assert!(
                far(&inner_products(&x, &y, -0.5), &(&exact - 0.5)) < 1e-6,
                "{m} {n} {d}"
            );
            let weights = exact.to_kind(Kind::Float);
            assert!(
                far(&by_features(&weights, &y.tr()), &exact.matmul(&y.to_kind(Kind::Double))) < 1e-4,
                "{m} {n} {d}"
            );
            assert!(
                far(
                    &by_features_of_rows(&weights, &x.tr()),
                    &exact.tr().matmul(&x.to_kind(Kind::Double))
                ) < 1e-4,
                "{m} {n} {d}"
            );
        }
    }
}
