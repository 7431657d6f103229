//! The product of a linear layer.
//!
//! On a CPU, libtorch multiplies f32 matrices with MKL, which uses only half of the vector width of other makers'
//! processors. oneDNN, which libtorch uses for convolutions, uses all of it. A matrix product is a convolution with a
//! 1 x 1 kernel whose pixels are the rows; computed this way, it and its gradients are twice as fast on AMD's Zen 5.

use crate::Autocast;
use std::sync::LazyLock;
use tch::{Device, Kind, Tensor};

/// Below this many multiplications the calls themselves are what costs.
const SMALL: i64 = 1 << 20;

/// `x weight^T + bias`, `[m, n]`, of rows `[m, k]`, a weight `[n, k]` and a bias `[n]`: PyTorch's
/// `torch.nn.functional.linear`, with gradients for all three, by libtorch's faster implementation.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
    if by_convolution(x, weight) {
        return convolve(x, weight, bias);
    }
    x.linear(weight, bias)
}

/// Returns true if a convolution computes the product faster.
pub(crate) fn by_convolution(x: &Tensor, weight: &Tensor) -> bool {
    static THERE: LazyLock<bool> = LazyLock::new(|| {
        let one = Tensor::ones([1, 1, 1, 1], (Kind::Float, Device::Cpu));
        one.f_mkldnn_convolution(&one, None::<Tensor>, [0, 0], [1, 1], [1, 1], 1)
            .is_ok()
    });
    let large = x.numel() as i64 * weight.size()[0] >= SMALL;
    // Autocast casts a linear layer's factors, but not this convolution's.
    x.device() == Device::Cpu && x.kind() == Kind::Float && large && !Autocast::is_on(Device::Cpu) && *THERE
}

fn convolve(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
    let (m, n, k) = (x.size()[0], weight.size()[0], x.size()[1]);
    // A row of m pixels with k channels, channels last: the rows of `x` as they lie in memory.
    let pixels = x.contiguous().view([1, 1, m, k]).permute([0, 3, 1, 2]);
    let kernel = weight.contiguous().view([n, k, 1, 1]);
    let out = pixels.mkldnn_convolution(&kernel, bias, [0, 0], [1, 1], [1, 1], 1);
    // The same layout again, so nothing is copied.
    out.permute([0, 2, 3, 1]).reshape([m, n])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unit_rows;

    #[test]
    fn values_and_gradients_are_those_of_libtorchs_linear_at_any_size() {
        for (m, n, k) in [(2, 3, 5), (300, 257, 65), (2000, 700, 1), (700, 64, 96)] {
            let leaves = |kind| {
                [(m, k, 1), (n, k, 2), (1, n, 3)].map(|(rows, columns, seed)| {
                    let drawn = unit_rows(rows, columns, Kind::Float, seed).to_kind(kind);
                    drawn.set_requires_grad(true)
                })
            };
            let weights = unit_rows(m, n, Kind::Double, 4);
            let [x, w, b] = leaves(Kind::Float);
            let out = linear(&x, &w, Some(&b.view(-1)));
            (&out * weights.to_kind(Kind::Float)).sum(Kind::Float).backward();
            let [exact_x, exact_w, exact_b] = leaves(Kind::Double);
            let exact = exact_x.linear(&exact_w, Some(&exact_b.view(-1)));
            (&exact * &weights).sum(Kind::Double).backward();
            let far = |a: &Tensor, b: &Tensor| (a.to_kind(Kind::Double) - b).abs().max().double_value(&[]);
            assert!(far(&out, &exact) < 1e-5, "{m} {n} {k}");
            for (found, exact) in [(x, exact_x), (w, exact_w), (b, exact_b)] {
                assert!(far(&found.grad(), &exact.grad()) < 1e-5, "{m} {n} {k}: a gradient");
            }
        }
    }
}
