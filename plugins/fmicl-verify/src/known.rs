//! Gaussian pairs, whose mutual information is known: the estimates of the registered objectives from batches of `N` pairs,
//! with the best critic there is, the true log ratio.

use super::Claim;
use super::infonce::{objective, options, term};
use fmicl_core::estimator::{FMicl, Shift};
use fmicl_core::{InBatch, Negatives, Objective, Pairing, Part, Result, Rng};
use tch::Tensor;

const DIMENSIONS: i64 = 4;
/// Correlation of each dimension's pair; together 2 nats.
const NATS: f64 = 2.0;
const BATCHES: u64 = 200;
/// Of log ratios of some tens in f64.
const ROUNDING: f64 = 1e-11;

/// Mean over batches minus the mutual information, and its standard error.
struct Gap {
    mean: f64,
    error: f64,
}

/// For each `N`: KL without a shift is right on average, InfoNCE is below (and below `log N`), and the best shift is never
/// below no shift.
///
/// # Errors
/// A part that is not registered.
pub fn claims() -> Result<Vec<Claim>> {
    let claims: Result<Vec<_>> = [16, 64, 256].into_iter().map(of_size).collect();
    Ok(claims?.concat())
}

fn of_size(n: i64) -> Result<[Claim; 4]> {
    let batches: Vec<[f64; 3]> = (0..BATCHES).map(|batch| bounds(n, batch)).collect::<Result<_>>()?;
    let gap = |index: usize| Gap::of(batches.iter().map(|bounds| bounds[index] - NATS));
    let (plain, shifted, info_nce) = (gap(0), gap(1), gap(2));
    let below = batches
        .iter()
        .map(|[plain, shifted, _]| plain - shifted)
        .fold(f64::MIN, f64::max);
    let most = batches.iter().map(|bounds| bounds[2]).fold(f64::MIN, f64::max);
    Ok([
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
            ROUNDING,
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
            ROUNDING,
        ),
    ])
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

/// Terms of a batch's losses: `f_mi` of `kl` without a shift, of `kl` at the best shift, and of InfoNCE with each positive
/// among its candidates. The critic is the true log ratio.
///
/// # Errors
/// A part that is not registered.
fn bounds(n: i64, batch: u64) -> Result<[f64; 3]> {
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
    let Features { x, y, scale, offset } = Features::of(&x, &y, correlation);
    let pairing = Pairing {
        anchors: x,
        positives: y,
        negatives: Negatives::Keys,
    };
    // Options that no training in f32 could have, so that they are not validated: these features are f64.
    let kl = |shift| -> Result<f64> {
        let similarity = format!("temperature = {:?}\nmu = {:?}", scale.recip(), (offset + scale).exp());
        let objective = FMicl {
            divergence: Part::new("kl", toml::Table::new())?,
            similarity: Part::new("gaussian", options(&similarity)?)?,
            alpha: Some(1.0),
            negatives: InBatch::Cross,
            shift: Some(shift),
        };
        Ok(term(&objective.loss(&pairing), "f_mi"))
    };
    let infonce = objective(&format!("name = 'infonce'\ntemperature = {:?}", scale.recip()))?;
    Ok([
        kl(Shift::None)?,
        kl(Shift::Best)?,
        term(&infonce.loss(&pairing), "f_mi"),
    ])
}

/// Features of unit length whose cosine `c` gives the log density ratio `scale c + offset` of a pair of samples.
struct Features {
    /// `[N, d + 4]`.
    x: Tensor,
    /// `[N, d + 4]`.
    y: Tensor,
    scale: f64,
    offset: f64,
}

impl Features {
    /// With `r` the correlation, `log p(y | x) / p(y)` is `a x.y - b |x|^2 - b |y|^2 - d/2 log(1 - r^2)`, where
    /// `a = r / (1 - r^2)` and `b = r a / 2`: a product of `(sqrt(a) x, -b |x|^2 / w, w)` and `(sqrt(a) y, w, -b |y|^2 / w)`.
    /// An entry that the other side has as 0 brings each to the length of the longest.
    fn of(x: &Tensor, y: &Tensor, correlation: f64) -> Self {
        let rest = 1.0 - correlation * correlation;
        let (a, b) = (correlation / rest, 0.5 * correlation * correlation / rest);
        let lifted = |rows: &Tensor| {
            let squares = rows.square().sum_dim_intlist([1i64].as_slice(), true, None) * -b;
            (rows * a.sqrt(), squares)
        };
        let ((x, of_x), (y, of_y)) = (lifted(x), lifted(y));
        // Of about the size of the squares, so that neither entry is long.
        let w = of_x.abs().max().maximum(&of_y.abs().max()).sqrt();
        let (of_x, of_y, w) = (of_x / &w, of_y / &w, w.view([1, 1]).expand([x.size()[0], 1], false));
        let x = Tensor::cat(&[x, of_x, w.shallow_clone()], 1);
        let y = Tensor::cat(&[y, w, of_y], 1);
        let square = |rows: &Tensor| rows.square().sum_dim_intlist([1i64].as_slice(), true, None);
        let scale = square(&x).max().maximum(&square(&y).max());
        let fill = |rows: &Tensor| (&scale - square(rows)).clamp_min(0.0).sqrt();
        let (of_x, of_y) = (fill(&x), fill(&y));
        let none = of_x.zeros_like();
        let length = scale.sqrt();
        Features {
            x: Tensor::cat(&[&x, &of_x, &none], 1) / &length,
            y: Tensor::cat(&[&y, &none, &of_y], 1) / &length,
            scale: scale.double_value(&[]),
            offset: -0.5 * DIMENSIONS as f64 * rest.ln(),
        }
    }
}
