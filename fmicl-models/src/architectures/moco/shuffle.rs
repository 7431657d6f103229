//! Shuffle BN of MoCo: a process computes the keys of samples drawn from all processes, so that its batch norms do not
//! reveal which keys belong to its queries.

use fmicl_core::tch::{Kind, Tensor};
use fmicl_core::{View, rows_of_all, share};

/// Keys `[size * N, d]` of the samples of all processes, in the order of ranks. `keys` computes those of a view.
pub(super) fn keys_of_all(view: &View, keys: impl Fn(&View) -> Tensor) -> Tensor {
    let (rank, size) = share();
    // Texts of a batch are as long as its longest, so they do not fit together, and what reads them has no batch norms.
    if size == 1 || view.mask.is_some() {
        return rows_of_all(&keys(view));
    }
    let n = view.input.size()[0];
    let total = n * size as i64;
    // Every process draws an order, and that of the first one counts.
    let drawn = Tensor::randperm(total, (Kind::Int64, view.input.device()));
    let order = rows_of_all(&drawn).narrow(0, 0, total);
    let mine = order.narrow(0, rank as i64 * n, n);
    let others = View::from(rows_of_all(&view.input).index_select(0, &mine));
    // The row `i` is of the sample `order[i]`.
    rows_of_all(&keys(&others)).index_select(0, &order.argsort(0, false))
}
