//! Gaussian pairs, whose mutual information is known: where the bounds stand that a batch of `N` pairs gives with the
//! best critic there is, the true log ratio.

use super::Claim;
use fmicl_core::Rng;
use tch::{Device, Kind, Tensor};

const DIMENSIONS: i64 = 4;
/// Correlation of each dimension's pair; together 2 nats.
const NATS: f64 = 2.0;
const BATCHES: u64 = 200;

/// Mean over batches minus the mutual information, and its standard error.
struct Gap {
    mean: f64,
    error: f64,
}

/// For each `N`: KL without a shift is right on average, InfoNCE is below (and below `log N`), and the best shift is never
/// below no shift.
pub fn claims() -> Vec<Claim> {
    [16, 64, 256].into_iter().flat_map(of_size).collect()
}

fn of_size(n: i64) -> [Claim; 4] {
    let batches: Vec<[f64; 3]> = (0..BATCHES).map(|batch| bounds(n, batch)).collect();
    let gap = |index: usize| Gap::of(batches.iter().map(|bounds| bounds[index] - NATS));
    let (plain, shifted, info_nce) = (gap(0), gap(1), gap(2));
    let below = batches
        .iter()
        .map(|[plain, shifted, _]| plain - shifted)
        .fold(f64::MIN, f64::max);
    let most = batches.iter().map(|bounds| bounds[2]).fold(f64::MIN, f64::max);
    [
        Claim::at_most(
            "kl",
            format!("2 nats, N = {n}: mean bound {:+.3}, off in standard errors", plain.mean),
            (plain.mean / plain.error).abs(),
            4.0,
        ),
        Claim::at_most(
            "kl",
            format!(
                "2 nats, N = {n}: at the best shift {:+.3}; without one it is never above",
                shifted.mean
            ),
            below,
            1e-12,
        ),
        Claim::at_most(
            "infonce",
            format!("2 nats, N = {n}: mean bound minus the truth"),
            info_nce.mean,
            4.0 * info_nce.error,
        ),
        Claim::at_most(
            "infonce",
            format!("N = {n}: the largest bound minus log N"),
            most - (n as f64).ln(),
            1e-12,
        ),
    ]
}

impl Gap {
    fn of(gaps: impl Iterator<Item = f64>) -> Self {
        let gaps: Vec<f64> = gaps.collect();
        let count = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / count;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Gap {
            mean,
            error: (variance / count).sqrt(),
        }
    }
}

/// The bounds of a batch: `kl` without a shift, `kl` at the best shift, InfoNCE with each positive among its candidates.
fn bounds(n: i64, batch: u64) -> [f64; 3] {
    let correlation = (1.0 - (-2.0 * NATS / DIMENSIONS as f64).exp()).sqrt();
    let normal = |which: u64| {
        let mut rng = Rng::new(&[batch, which]);
        let mut uniform = || rng.uniform(0.0, 1.0);
        let values: Vec<f64> = (0..n * DIMENSIONS)
            .map(|_| {
                // Box and Muller's.
                let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
                radius * (std::f64::consts::TAU * uniform()).cos()
            })
            .collect();
        Tensor::from_slice(&values).view([n, DIMENSIONS])
    };
    let x = normal(0);
    let y = &x * correlation + normal(1) * (1.0 - correlation * correlation).sqrt();
    // log p(y | x) / p(y) of every x with every y.
    let rest = 1.0 - correlation * correlation;
    let squares = |rows: &Tensor| rows.square().sum_dim_intlist([1i64].as_slice(), false, None);
    let products = x.matmul(&y.tr()) * (2.0 * correlation);
    let quadratic =
        (products - (squares(&x).unsqueeze(1) + squares(&y).unsqueeze(0)) * (correlation * correlation)) / (2.0 * rest);
    let ratio = quadratic - DIMENSIONS as f64 * 0.5 * rest.ln();
    let positive = ratio.diagonal(0, 0, 1).mean(Kind::Double).double_value(&[]);
    let eye = Tensor::eye(n, (Kind::Bool, Device::Cpu));
    let log_mean = ratio
        .masked_fill(&eye, f64::NEG_INFINITY)
        .view(-1)
        .logsumexp([0i64].as_slice(), false);
    let log_mean = log_mean.double_value(&[]) - ((n * (n - 1)) as f64).ln();
    let candidates = ratio
        .logsumexp([1i64].as_slice(), false)
        .mean(Kind::Double)
        .double_value(&[])
        - (n as f64).ln();
    [
        positive + 1.0 - log_mean.exp(),
        positive - log_mean,
        positive - candidates,
    ]
}
