//! Sums over many small tiles against the same sums over one matrix, in value and gradient.

use fmicl_core::estimator::{OfCosine, Pairs, mean, set_tile, with_log_sums, with_slope};
use fmicl_core::testing::unit_rows;
use tch::{Device, Kind, Tensor};

/// Not a divisor of anything below, so that the last tile is smaller and diagonals cross tiles. All tests of this binary
/// set the same.
const SIDE: usize = 7;
const N: i64 = 31;

type MakePairs = for<'a> fn(&'a Tensor, &'a Tensor, &'a Tensor) -> Pairs<'a>;

/// Every kind of pairs, and how the same pairs lie in one matrix: its rows, its columns, and which pairs count.
fn cases() -> [(&'static str, MakePairs); 4] {
    [
        ("within", |x, _, _| Pairs::Within(x)),
        ("cross", |x, y, _| Pairs::Cross(x, y)),
        ("both", |x, y, _| Pairs::Both(x, y)),
        ("bank", |x, _, bank| Pairs::Bank(x, bank)),
    ]
}

fn matrix(pairs: Pairs) -> (Tensor, Tensor) {
    let (rows, columns, period) = match pairs {
        Pairs::Within(x) => (x.shallow_clone(), x.shallow_clone(), Some(N)),
        Pairs::Cross(x, y) => (x.shallow_clone(), y.shallow_clone(), Some(N)),
        Pairs::Both(x, y) => (Tensor::cat(&[x, y], 0), Tensor::cat(&[x, y], 0), Some(N)),
        Pairs::Bank(x, bank) => (x.shallow_clone(), bank.shallow_clone(), None),
    };
    let index = |features: &Tensor| Tensor::arange(features.size()[0], (Kind::Int64, Device::Cpu));
    let away = index(&rows).unsqueeze(1) - index(&columns).unsqueeze(0);
    let counts = match period {
        Some(n) => away.remainder(n).ne(0),
        None => away.eq_tensor(&away),
    };
    (rows.matmul(&columns.tr()), counts)
}

/// The loss and its gradients with respect to `x` and `y`.
fn graded(loss: impl Fn(&Tensor, &Tensor) -> Tensor) -> [Tensor; 3] {
    let leaf = |seed| unit_rows(N, 5, Kind::Double, seed).set_requires_grad(true);
    let (x, y) = (leaf(1), leaf(2));
    let value = loss(&x, &y);
    value.backward();
    let grad = |leaf: &Tensor| {
        if leaf.grad().defined() {
            leaf.grad()
        } else {
            leaf.detach().zeros_like()
        }
    };
    [value.detach(), grad(&x), grad(&y)]
}

fn assert_same(what: &str, tiled: [Tensor; 3], plain: [Tensor; 3]) {
    for (part, (tiled, plain)) in ["value", "gradient of x", "gradient of y"]
        .iter()
        .zip(tiled.iter().zip(&plain))
    {
        let off = ((tiled - plain).abs().max() / plain.abs().max().clamp_min(1.0)).double_value(&[]);
        assert!(off < 1e-12, "{what}: the {part} is off by {off:e}");
    }
}

#[test]
fn the_mean_over_tiles_is_the_mean_over_the_matrix() {
    set_tile(Some(SIDE));
    let bank = unit_rows(50, 5, Kind::Double, 3);
    let cubic = OfCosine::new(1.5, 0.2, |c| with_slope(&c, |c| c.pow_tensor_scalar(3)));
    for (name, pairs) in cases() {
        let tiled = graded(|x, y| mean(&cubic, pairs(x, y, &bank)));
        let plain = graded(|x, y| {
            let (cosines, counts) = matrix(pairs(x, y, &bank));
            (cosines * 1.5 + 0.2)
                .pow_tensor_scalar(3)
                .masked_select(&counts)
                .mean(None)
        });
        assert_same(name, tiled, plain);
    }
}

#[test]
fn log_sums_over_tiles_are_those_of_the_matrix_at_any_temperature() {
    set_tile(Some(SIDE));
    let bank = unit_rows(50, 5, Kind::Double, 3);
    // The last is beyond what e^{scale} can hold.
    for scale in [0.5, 5.0, 2000.0] {
        for (name, pairs) in cases() {
            // Anchors count differently, and the loss depends on the features beside the sums, too.
            let loss = |log_sums: &Tensor, x: &Tensor, y: &Tensor| {
                let positive = (x * y).sum_dim_intlist([1].as_slice(), false, None) * scale;
                let positive = positive.repeat([log_sums.size()[0] / N]);
                (positive.logaddexp(log_sums) - positive * 0.3).square().mean(None)
            };
            let tiled = graded(|x, y| with_log_sums(pairs(x, y, &bank), scale, |log_sums| loss(log_sums, x, y)));
            let plain = graded(|x, y| {
                let (cosines, counts) = matrix(pairs(x, y, &bank));
                let logits = (cosines * scale).masked_fill(&counts.logical_not(), f64::NEG_INFINITY);
                loss(&logits.logsumexp([1].as_slice(), false), x, y)
            });
            assert_same(&format!("{name}, scale {scale}"), tiled, plain);
        }
    }
}

#[test]
fn nothing_is_differentiated_where_nobody_asks() {
    set_tile(Some(SIDE));
    let x = unit_rows(N, 5, Kind::Float, 1);
    let linear = OfCosine::new(1.0, 0.0, |c| {
        let slope = c.ones_like();
        (c, slope)
    });
    assert!(!mean(&linear, Pairs::Within(&x)).requires_grad());
    assert!(!with_log_sums(Pairs::Within(&x), 2.0, |log_sums| log_sums.mean(None)).requires_grad());
}
