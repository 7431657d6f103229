//! Value and gradient of a loss at features of unit length: `f-micl divergence=js pairs=within|both|bank shift=best n=4096`,
//! `infonce n=4096`, and `products n=4096`, the matrix products of `f-micl pairs=within` alone.

use crate::{Arguments, time};
use fmicl_core::estimator::{OfCosine, Pairs, mean, set_tile};
use fmicl_core::testing::unit_rows;
use fmicl_core::{Negatives, Objective, Pairing, Part};
use std::error::Error;
use tch::{Kind, Tensor};

/// The features' width.
const D: i64 = 128;
/// MoCo's queue.
const BANK: i64 = 65_536;

/// Of anchors and positives.
type Loss = Box<dyn Fn(&Tensor, &Tensor) -> Tensor>;

pub fn run(row: &str, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let n = arguments.number("n")?;
    let pairs = arguments.text("pairs").unwrap_or("within");
    let leaf = |n, seed| unit_rows(n, D, Kind::Float, seed).set_requires_grad(true);
    let bank = (pairs == "bank").then(|| unit_rows(arguments.number("bank").unwrap_or(BANK), D, Kind::Float, 3));
    let loss: Loss = match row {
        "products" => Box::new(|x, _| {
            let nothing = OfCosine::new(1.0, 0.0, |cosine| {
                (Tensor::zeros([1, 1], (Kind::Float, cosine.device())), cosine)
            });
            mean(&nothing, Pairs::Within(x))
        }),
        _ => {
            let objective: Part<dyn Objective> = Part::from_value(objective(row, arguments, pairs)?)?;
            Box::new(move |x, y| {
                let negatives = bank
                    .as_ref()
                    .map_or(Negatives::Batch, |bank| Negatives::Bank(bank.shallow_clone()));
                let pairing = Pairing {
                    anchors: x.shallow_clone(),
                    positives: y.shallow_clone(),
                    negatives,
                };
                objective.loss(&pairing).value
            })
        }
    };
    // The libraries start their threads and load their code at some rows, so that the memory counted is the objective's:
    // tiles of this side are many enough for all threads.
    set_tile(Some(128));
    loss(&leaf(256, 4), &leaf(256, 5)).backward();
    set_tile(arguments.number("tile").ok().map(usize::try_from).transpose()?);
    let (x, y) = (leaf(n, 1), leaf(n, 2));
    time::repeat(arguments.number("times")?, time::held(), || {
        // Without the gradients of the last time, as the peer's.
        let leaf = |x: &Tensor| x.detach().set_requires_grad(true);
        loss(&leaf(&x), &leaf(&y)).backward();
    })
}

fn objective(row: &str, arguments: &Arguments, pairs: &str) -> Result<toml::Value, Box<dyn Error>> {
    match row {
        "infonce" => Ok(toml::from_str("name = 'infonce'\ntemperature = 0.5")?),
        _ => f_micl(
            arguments.text("divergence")?,
            if pairs == "bank" { "within" } else { pairs },
            arguments.text("shift").unwrap_or("none"),
        ),
    }
}

/// f-MICL with the kernel of `bench/peer.py`.
pub fn f_micl(divergence: &str, negatives: &str, shift: &str) -> Result<toml::Value, Box<dyn Error>> {
    Ok(toml::from_str(&format!(
        "name = 'f-micl'\ndivergence = '{divergence}'\nnegatives = '{negatives}'\nshift = '{shift}'\n\
         similarity = {{ name = 'gaussian', sigma = 0.5, mu = 1.0 }}"
    ))?)
}
