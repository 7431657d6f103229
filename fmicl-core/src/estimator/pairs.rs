//! Sets of negative pairs.

use super::grid::Grid;
use tch::Tensor;

/// Set of pairs over which the estimator sums. All features are unit-length rows; a pair is an anchor with another
/// feature. There must be at least two anchors, or a bank: the mean over no pair is NaN.
#[derive(Debug, Clone, Copy)]
pub enum Pairs<'a> {
    /// `x_i` and `x_j`, `i != j`: `N (N - 1)` pairs of `[N, d]`.
    Within(&'a Tensor),
    /// `x_i` and `y_j`, `i != j`: `N (M - 1)` pairs of `[N, d]` and `[M, d]`, `M >= N`.
    Cross(&'a Tensor, &'a Tensor),
    /// All of `x` and `y` among themselves but for each with itself and with its positive: `2N (2N - 2)`. The anchors
    /// are the rows of `x`, then those of `y`.
    Both(&'a Tensor, &'a Tensor),
    /// `x_i` and `b_k`: `N K` pairs of `[N, d]` and a bank `[K, d]` without gradient.
    Bank(&'a Tensor, &'a Tensor),
}

impl Pairs<'_> {
    /// Number of pairs per anchor.
    pub fn others(&self) -> i64 {
        match self {
            Pairs::Within(x) | Pairs::Cross(_, x) => x.size()[0] - 1,
            Pairs::Both(x, _) => 2 * x.size()[0] - 2,
            Pairs::Bank(_, bank) => bank.size()[0],
        }
    }

    /// The features that the pairs begin with; of [`Pairs::Both`] the first half.
    pub fn anchors(&self) -> &Tensor {
        match self {
            Pairs::Within(x) | Pairs::Cross(x, _) | Pairs::Both(x, _) | Pairs::Bank(x, _) => x,
        }
    }

    pub(super) fn grid(&self) -> Grid {
        match self {
            Pairs::Within(x) => Grid::symmetric(x.shallow_clone(), vec![0]),
            Pairs::Cross(x, y) => Grid::rectangular(x.shallow_clone(), y.shallow_clone(), vec![0]),
            Pairs::Both(x, y) => {
                let n = x.size()[0];
                Grid::symmetric(Tensor::cat(&[*x, *y], 0), vec![0, n, -n])
            }
            Pairs::Bank(x, bank) => Grid::rectangular(x.shallow_clone(), bank.detach(), vec![]),
        }
    }
}
