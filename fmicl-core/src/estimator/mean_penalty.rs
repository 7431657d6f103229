//! The mean penalty over the negatives of a batch, ready for autograd.

use super::Critics;
use super::tiles::{Sum, rectangular, symmetric};
use tch::Tensor;

/// Which pairs are the negatives. All features are unit-length rows.
#[derive(Debug, Clone, Copy)]
pub enum Pairs<'a> {
    /// `x_i` and `x_j`, `i != j`: `N (N - 1)` pairs of `[N, d]`.
    Within(&'a Tensor),
    /// `x_i` and `y_j`, `i != j`: `N (N - 1)` pairs of `[N, d]` and `[N, d]`.
    Cross(&'a Tensor, &'a Tensor),
    /// All of `x` and `y` among themselves but for each with itself and with its positive: `2N (2N - 2)`.
    Both(&'a Tensor, &'a Tensor),
    /// `x_i` and `b_k`: `N K` pairs of `[N, d]` and a bank `[K, d]` without gradient.
    Bank(&'a Tensor, &'a Tensor),
}

/// The mean of `f*(s)` over the negative pairs, a scalar with gradient to every feature that requires it.
pub fn mean_penalty(critics: Critics, pairs: Pairs) -> Tensor {
    match pairs {
        Pairs::Within(x) => {
            let n = x.size()[0] as f64;
            let sum = tch::no_grad(|| symmetric(critics, &x.detach(), &[0]));
            surrogate(sum, n * (n - 1.0), x, None)
        }
        Pairs::Cross(x, y) => {
            let n = x.size()[0] as f64;
            let sum = tch::no_grad(|| rectangular(critics, &x.detach(), &y.detach(), &[0], y.requires_grad()));
            surrogate(sum, n * (n - 1.0), x, Some(y))
        }
        Pairs::Both(x, y) => {
            let n = x.size()[0];
            let all = Tensor::cat(&[x, y], 0);
            let sum = tch::no_grad(|| symmetric(critics, &all.detach(), &[0, n, -n]));
            surrogate(sum, (2 * n * (2 * n - 2)) as f64, &all, None)
        }
        Pairs::Bank(x, bank) => {
            let count = x.size()[0] * bank.size()[0];
            let sum = tch::no_grad(|| rectangular(critics, &x.detach(), &bank.detach(), &[], false));
            surrogate(sum, count as f64, x, None)
        }
    }
}

/// A scalar whose value is the mean and whose gradient is the one already computed: tch has no custom autograd
/// function, but `<x, g> - <x, g>` without gradient is exactly 0 and has gradient `g`.
fn surrogate(sum: Sum, count: f64, left: &Tensor, right: Option<&Tensor>) -> Tensor {
    let mean = (&sum.value / count).to_kind(left.kind());
    let mut inner = (left * (sum.left / count)).sum(left.kind());
    if let (Some(right), Some(grad)) = (right, sum.right) {
        inner += (right * (grad / count)).sum(left.kind());
    }
    &inner - inner.detach() + mean
}
