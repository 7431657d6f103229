//! Shared code of the objectives: an anchor's positive and its negatives.

use fmicl_core::estimator::Pairs;
use fmicl_core::{InBatch, Negatives, Pairing, Result, require};
use tch::Tensor;

/// The temperature of a softmax, from 1e-6 to 1e6.
pub fn check_temperature(temperature: f64) -> Result<()> {
    require((1e-6..=1e6).contains(&temperature), "temperature", || {
        format!("{temperature} is not from 1e-6 to 1e6")
    })
}

/// The cosine of each pair of unit-length rows `[N, d]`: `[N]`.
pub fn positive_cosines(x: &Tensor, y: &Tensor) -> Tensor {
    (x * y).sum_dim_intlist([1].as_slice(), false, x.kind())
}

/// Anchors of a pairing with their negatives, for InfoNCE and similar objectives: on a batch of two views by
/// `in_batch`; with keys each of `N` anchors has the `N - 1` other keys (MoCo v3), with hard negatives those and the
/// other positives (SimCSE), with a bank the whole bank (MoCo).
pub fn negatives(pairing: &Pairing, in_batch: InBatch) -> Pairs<'_> {
    let (x, y) = (&pairing.anchors, &pairing.positives);
    match &pairing.negatives {
        Negatives::Batch => match in_batch {
            InBatch::Within => Pairs::Within(x),
            InBatch::Cross => Pairs::Cross(x, y),
            InBatch::Both => Pairs::Both(x, y),
        },
        Negatives::Keys => Pairs::Cross(x, y),
        Negatives::Candidates(candidates) => Pairs::Cross(x, candidates),
        Negatives::Bank(bank) => Pairs::Bank(x, bank),
    }
}

/// Expands values per pair `[N]` to values per anchor: if both views are anchors, both have the pair's value.
pub fn of_anchors(pairs: Tensor, negatives: Pairs) -> Tensor {
    match negatives {
        Pairs::Both(..) => pairs.repeat([2]),
        _ => pairs,
    }
}
