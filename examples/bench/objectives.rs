//! Every objective on a device beside the CPU: `objectives device=cuda:0 n=512`.

use crate::Arguments;
use fmicl_core::registry::{self, Listing};
use fmicl_core::testing::unit_rows;
use fmicl_core::{Divergence, Negatives, Objective, Pairing, Part, Similarity};
use std::error::Error;
use tch::{Device, Kind, Tensor};
use toml::{Table, Value};

/// The features' width.
const D: i64 = 128;

/// Prints the largest relative difference of a value or a gradient in f32 on the device from that in f64 on the CPU.
pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let (n, device) = (arguments.number("n")?, arguments.device()?);
    let (mut compared, mut worst) = (0, (0.0, String::new()));
    for options in objectives() {
        let objective: Part<dyn Objective> = Part::from_value(options.clone())?;
        for negatives in ["batch", "keys", "bank", "candidates"] {
            let there = differentiate(&*objective, n, negatives, (Kind::Float, device));
            let here = differentiate(&*objective, n, negatives, (Kind::Double, Device::Cpu));
            for (there, here) in there.iter().zip(&here) {
                let scale = here.abs().max().double_value(&[]).max(1e-3);
                let off = (there.to_device(Device::Cpu).to_kind(Kind::Double) - here).abs().max();
                let off = off.double_value(&[]) / scale;
                // What is not a number is the worst of all.
                if off.is_nan() || off > worst.0 {
                    worst = (off, format!("{options} with {negatives}"));
                }
            }
            compared += 1;
        }
    }
    let line = serde_json::json!({ "compared": compared, "off": worst.0, "worst": worst.1 });
    println!("{line}");
    Ok(())
}

/// All that are registered; one whose options have no defaults is f-MICL, with every divergence and similarity.
fn objectives() -> Vec<Value> {
    let named = |part: &Listing| Table::from_iter([("name".to_string(), part.name.into())]);
    let similarities = registry::list::<dyn Similarity>();
    let mut found = Vec::new();
    for part in registry::list::<dyn Objective>() {
        if part.defaults.is_some() {
            found.push(named(&part).into());
            continue;
        }
        for divergence in registry::list::<dyn Divergence>() {
            for similarity in &similarities {
                let mut options = named(&part);
                options.insert("divergence".into(), named(&divergence).into());
                options.insert("similarity".into(), named(similarity).into());
                found.push(options.into());
            }
        }
    }
    found
}

/// The loss, and its gradients at the anchors and at what else has one.
fn differentiate(objective: &dyn Objective, n: i64, negatives: &str, options: (Kind, Device)) -> Vec<Tensor> {
    // The same numbers in either kind.
    let rows = |n, seed| {
        unit_rows(n, D, Kind::Float, seed)
            .to_device(options.1)
            .to_kind(options.0)
    };
    let leaf = |n, seed| rows(n, seed).set_requires_grad(true);
    let x = leaf(n, 1);
    let (leaf, positives, negatives) = match negatives {
        "keys" => (None, rows(n, 2), Negatives::Keys),
        "bank" => (None, rows(n, 2), Negatives::Bank(rows(3 * n, 3))),
        "candidates" => {
            let all = leaf(2 * n, 2);
            (
                Some(all.shallow_clone()),
                all.narrow(0, 0, n),
                Negatives::Candidates(all),
            )
        }
        _ => {
            let y = leaf(n, 2);
            (Some(y.shallow_clone()), y, Negatives::Batch)
        }
    };
    let anchors = x.shallow_clone();
    let loss = objective.loss(&Pairing {
        anchors,
        positives,
        negatives,
    });
    loss.value.backward();
    let gradients = [Some(x), leaf].into_iter().flatten().map(|leaf| leaf.grad());
    std::iter::once(loss.value.detach()).chain(gradients).collect()
}
