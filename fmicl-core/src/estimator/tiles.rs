//! Sums over the pairs of two sets of rows, a tile at a time.

use super::Critics;
use tch::{Kind, Tensor};

/// The side of a tile: its few `T x T` buffers stay in a core's second-level cache.
pub const TILE: i64 = 512;

/// A sum of penalties and its gradient.
pub(super) struct Sum {
    /// The sum, a scalar in f64.
    pub value: Tensor,
    /// Its gradient with respect to the rows, `[N, d]`.
    pub left: Tensor,
    /// Its gradient with respect to the columns' features, `[M, d]`, where it was asked for.
    pub right: Option<Tensor>,
}

/// Row `i` against column `i + offset`: a diagonal of pairs that do not count.
pub(super) type Excluded<'a> = &'a [i64];

/// The sum over all pairs of a row of `left` with a row of `right`.
pub(super) fn rectangular(
    critics: Critics,
    left: &Tensor,
    right: &Tensor,
    excluded: Excluded,
    need_right: bool,
) -> Sum {
    let mut sum = Sum {
        value: zero(left),
        left: left.zeros_like(),
        right: need_right.then(|| right.zeros_like()),
    };
    for (row, rows) in tiles(left) {
        for (column, columns) in tiles(right) {
            let (x, y) = (left.narrow(0, row, rows), right.narrow(0, column, columns));
            let slopes = tile(critics, &x, &y, row - column, excluded, 1.0, &mut sum.value);
            let _ = sum.left.narrow(0, row, rows).addmm_(&slopes, &y);
            if let Some(grad) = &mut sum.right {
                let _ = grad.narrow(0, column, columns).addmm_(&slopes.tr(), &x);
            }
        }
    }
    sum
}

/// The sum over all ordered pairs of rows of `rows`; the slopes are symmetric, so half of the tiles suffice.
/// `excluded` must be symmetric: with an offset comes its negative.
pub(super) fn symmetric(critics: Critics, features: &Tensor, excluded: Excluded) -> Sum {
    let mut sum = Sum {
        value: zero(features),
        left: features.zeros_like(),
        right: None,
    };
    for (row, rows) in tiles(features) {
        for (column, columns) in tiles(features).filter(|&(column, _)| column >= row) {
            let (x, y) = (features.narrow(0, row, rows), features.narrow(0, column, columns));
            let times = if column > row { 2.0 } else { 1.0 };
            // Each feature is in a pair once as a row and once as a column: twice the slope.
            let slopes = tile(critics, &x, &y, row - column, excluded, times, &mut sum.value) * 2.0;
            let _ = sum.left.narrow(0, row, rows).addmm_(&slopes, &y);
            if column > row {
                let _ = sum.left.narrow(0, column, columns).addmm_(&slopes.tr(), &x);
            }
        }
    }
    sum
}

/// Adds `times` the tile's penalties to `total` and returns its slopes, `[rows, columns]`.
fn tile(
    critics: Critics,
    x: &Tensor,
    y: &Tensor,
    shift: i64,
    excluded: Excluded,
    times: f64,
    total: &mut Tensor,
) -> Tensor {
    let cosine = x.matmul(&y.tr());
    let (mut penalty, mut slopes) = critics.penalty_and_slope(&cosine);
    let (rows, columns) = (x.size()[0], y.size()[0]);
    for offset in excluded
        .iter()
        .map(|offset| offset + shift)
        .filter(|&offset| -rows < offset && offset < columns)
    {
        // A part may return an expanded tensor, which cannot be written to.
        (penalty, slopes) = (penalty.contiguous(), slopes.contiguous());
        let _ = penalty.diagonal(offset, 0, 1).zero_();
        let _ = slopes.diagonal(offset, 0, 1).zero_();
    }
    let _ = total.g_add_(&(penalty.sum(Kind::Double) * times));
    slopes
}

/// Start and length of each tile.
fn tiles(features: &Tensor) -> impl Iterator<Item = (i64, i64)> + use<> {
    let rows = features.size()[0];
    (0..rows)
        .step_by(TILE as usize)
        .map(move |start| (start, TILE.min(rows - start)))
}

fn zero(like: &Tensor) -> Tensor {
    Tensor::zeros([], (Kind::Double, like.device()))
}
