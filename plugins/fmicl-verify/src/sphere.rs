//! Free points on the sphere: what an objective does with an encoder that can do anything.
//!
//! Of `K` pairs in `d` dimensions, `K < d + 2`, the paper's theorem says that the pairs meet and the `K` points become
//! the corners of a regular simplex, every cosine `-1 / (K - 1)`.

use super::Claim;
use super::infonce::objective;
use fmicl_core::geometry::{alignment, uniformity};
use fmicl_core::{Negatives, Pairing, Result, normalize};
use tch::nn::{Adam, OptimizerConfig, VarStore};
use tch::{Device, Kind, Tensor};

const PAIRS: i64 = 6;
const DIMENSIONS: i64 = 8;
const STEPS: usize = 600;

/// What is true of the points after gradient descent on f-MICL with the divergence and the Gaussian similarity; its
/// sigma is 1, since the narrower it is, the weaker are the forces between points that are far apart already.
pub fn spreads(divergence: &str) -> Result<[Claim; 3]> {
    let objective = objective(&format!(
        "name = 'f-micl'\ndivergence = '{divergence}'\nsimilarity = {{ name = 'gaussian', sigma = 1.0 }}\n\
         shift = 'none'\nnegatives = 'both'"
    ))?;
    let store = VarStore::new(Device::Cpu);
    let start = Tensor::arange(2 * PAIRS * DIMENSIONS, (Kind::Float, Device::Cpu)).view([2 * PAIRS, DIMENSIONS]);
    let start = (start.square() * 0.7 + 1.0).sin();
    let points = store.root().var_copy("points", &start);
    let views = || {
        let mut views = normalize(&points).chunk(2, 0);
        (views.remove(0), views.remove(0))
    };
    let measure = || {
        let (x, y) = views();
        (alignment(&x, &y).double_value(&[]), uniformity(&x).double_value(&[]))
    };

    let before = measure();
    let optimizer = Adam::default().build(&store, 0.0);
    let mut optimizer = optimizer.map_err(|error| fmicl_core::Error::Run(error.to_string()))?;
    for step in 0..STEPS {
        let (anchors, positives) = views();
        let pairing = Pairing {
            anchors,
            positives,
            negatives: Negatives::Batch,
        };
        optimizer.set_lr(0.05 * (1.0 - step as f64 / STEPS as f64));
        optimizer.backward_step(&objective.loss(&pairing).value);
    }
    let after = measure();
    let cosines = tch::no_grad(|| {
        let (x, _) = views();
        x.matmul(&x.tr()) + 1.0 / (PAIRS - 1) as f64 - simplex_diagonal()
    });
    let off_simplex = cosines.abs().max().double_value(&[]);
    Ok([
        Claim::at_most(
            divergence,
            format!("{PAIRS} free pairs meet: alignment, from {:.2}", before.0),
            after.0,
            1e-3,
        ),
        Claim::at_most(
            divergence,
            "and spread: uniformity after minus before",
            after.1 - before.1,
            -0.1,
        ),
        Claim::at_most(
            divergence,
            "into a simplex: the farthest cosine from its own",
            off_simplex,
            1e-2,
        ),
    ])
}

/// What a point's cosine with itself is more than `-1 / (K - 1)`.
fn simplex_diagonal() -> Tensor {
    Tensor::eye(PAIRS, (Kind::Float, Device::Cpu)) * (1.0 + 1.0 / (PAIRS - 1) as f64)
}
