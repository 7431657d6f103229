//! The matrix products of a tile.
//!
//! libtorch multiplies f32 matrices on a CPU by MKL, which leaves processors of other makers half of their vector width;
//! oneDNN, which libtorch has for convolutions, uses all of it. A matrix product is a convolution with a kernel of 1 x 1
//! whose pixels are the rows, and so it is twice as fast on AMD's Zen 5.

use std::sync::LazyLock;
use tch::{Device, Kind, Tensor};

/// Below this many multiplications the calls themselves are what costs.
const SMALL: i64 = 1 << 20;

/// `x y^T + offset`, `[m, n]`, of rows `[m, d]` and `[n, d]`.
pub fn of_rows(x: &Tensor, y: &Tensor, offset: f64) -> Tensor {
    if by_convolution(x, y.size()[0]) {
        let bias = (offset != 0.0).then(|| Tensor::full([y.size()[0]], offset, (y.kind(), y.device())));
        return convolve(x, y, bias);
    }
    let product = x.matmul(&y.tr());
    if offset == 0.0 { product } else { product + offset }
}

/// `weights y`, `[m, d]`, of weights `[m, n]` and the rows `y`, transposed, `[d, n]`.
pub fn by_features(weights: &Tensor, transposed: &Tensor) -> Tensor {
    if by_convolution(weights, transposed.size()[0]) {
        return convolve(weights, transposed, None);
    }
    weights.matmul(&transposed.tr())
}

/// `weights^T x`, `[n, d]`, of weights `[m, n]` and the rows `x`, transposed, `[d, m]`.
pub fn by_features_of_rows(weights: &Tensor, transposed: &Tensor) -> Tensor {
    let (m, n, d) = (weights.size()[0], weights.size()[1], transposed.size()[0]);
    if by_convolution(weights, d) {
        // A row of n pixels with m channels, this time channels first: again the weights as they lie in memory.
        let pixels = weights.contiguous().view([1, m, 1, n]);
        let kernel = transposed.contiguous().view([d, m, 1, 1]);
        let out = pixels.mkldnn_convolution(&kernel, None::<Tensor>, [0, 0], [1, 1], [1, 1], 1);
        return out.view([d, n]).tr().contiguous();
    }
    weights.tr().matmul(&transposed.tr())
}

/// Whether a product of `a` with something `n` wide is best made by a convolution.
fn by_convolution(a: &Tensor, n: i64) -> bool {
    static THERE: LazyLock<bool> = LazyLock::new(|| {
        let one = Tensor::ones([1, 1, 1, 1], (Kind::Float, Device::Cpu));
        one.f_mkldnn_convolution(&one, None::<Tensor>, [0, 0], [1, 1], [1, 1], 1)
            .is_ok()
    });
    a.device() == Device::Cpu && a.kind() == Kind::Float && a.numel() as i64 * n >= SMALL && *THERE
}

/// `a b^T + bias` of `[m, k]`, `[n, k]` and `[n]`.
fn convolve(a: &Tensor, b: &Tensor, bias: Option<Tensor>) -> Tensor {
    let (m, n, k) = (a.size()[0], b.size()[0], a.size()[1]);
    // A row of m pixels with k channels, channels last: the rows of `a` as they lie in memory.
    let pixels = a.contiguous().view([1, 1, m, k]).permute([0, 3, 1, 2]);
    let kernel = b.contiguous().view([n, k, 1, 1]);
    let out = pixels.mkldnn_convolution(&kernel, bias, [0, 0], [1, 1], [1, 1], 1);
    // The same layout again, so nothing is copied.
    out.permute([0, 2, 3, 1]).reshape([m, n])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unit_rows;

    #[test]
    fn products_are_matrix_products_at_any_size() {
        for (m, n, d) in [(1, 2, 3), (512, 512, 128), (300, 257, 65), (2000, 700, 1)] {
            let (x, y) = (unit_rows(m, d, Kind::Float, 1), unit_rows(n, d, Kind::Float, 2));
            let far = |a: &Tensor, b: &Tensor| (a - b).abs().max().double_value(&[]);
            let exact = x.to_kind(Kind::Double).matmul(&y.to_kind(Kind::Double).tr());
            assert!(far(&of_rows(&x, &y, -0.5), &(&exact - 0.5)) < 1e-6, "{m} {n} {d}");
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
