//! What the objectives share: cosines of pairs, and an anchor's positive and negatives.

use fmicl_core::{Negatives, Pairing, Result, require};
use tch::{Kind, Tensor};

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

/// The square matrix with `value` on its diagonal: no feature is a negative of its own, or of its positive.
pub fn without_diagonal(matrix: &Tensor, value: f64) -> Tensor {
    let diagonal = matrix
        .detach()
        .zeros_like()
        .fill_diagonal_(1.0, false)
        .to_kind(Kind::Bool);
    matrix.masked_fill(&diagonal, value)
}

/// `log sum_{j != i} e^{<x_i, y_j> / tau}` of each row: `[N]`.
pub fn log_sum_of_others(x: &Tensor, y: &Tensor, temperature: f64) -> Tensor {
    let logits = x.matmul(&y.tr()) / temperature;
    without_diagonal(&logits, f64::NEG_INFINITY).logsumexp([1].as_slice(), false)
}

/// The anchors of a pairing, each with its positive and its negatives, as InfoNCE and its kin see them.
pub struct Anchors {
    /// `c / tau` of each anchor with its positive, `[M]`.
    pub positive: Tensor,
    /// `log sum_negatives e^{c / tau}` of each anchor, `[M]`.
    pub negatives: Tensor,
    /// How many negatives an anchor has.
    pub count: i64,
}

impl Anchors {
    /// On a batch of two views all `2N` features are anchors with `2N - 2` negatives (SimCLR); with keys the `N`
    /// anchors have the `N - 1` other keys (MoCo v3), with a bank all of it (MoCo).
    pub fn new(pairing: &Pairing, temperature: f64) -> Self {
        let (x, y) = (&pairing.anchors, &pairing.positives);
        let positive = positive_cosines(x, y) / temperature;
        let log_sum = |logits: Tensor| logits.logsumexp([1].as_slice(), false);
        match &pairing.negatives {
            Negatives::Batch => {
                // Of each view with itself and with the other one, without the diagonals.
                let within = |z: &Tensor| without_diagonal(&(z.matmul(&z.tr()) / temperature), f64::NEG_INFINITY);
                let across = without_diagonal(&(x.matmul(&y.tr()) / temperature), f64::NEG_INFINITY);
                let of_x = log_sum(Tensor::cat(&[within(x), across.shallow_clone()], 1));
                let of_y = log_sum(Tensor::cat(&[within(y), across.tr()], 1));
                Anchors {
                    positive: positive.repeat([2]),
                    negatives: Tensor::cat(&[of_x, of_y], 0),
                    count: 2 * x.size()[0] - 2,
                }
            }
            Negatives::Keys => Anchors {
                positive,
                negatives: log_sum_of_others(x, y, temperature),
                count: x.size()[0] - 1,
            },
            Negatives::Bank(bank) => Anchors {
                positive,
                negatives: log_sum(x.matmul(&bank.tr()) / temperature),
                count: bank.size()[0],
            },
        }
    }
}
