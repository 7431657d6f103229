//! The baselines against PyTorch, and InfoNCE against the KL f-MICL that it bounds.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use fmicl_baselines::InfoNce;
use fmicl_core::testing::unit_rows;
use fmicl_core::{FMicl, InBatch, Negatives, Objective, Pairing, Part, Shift};
use fmicl_divergences as _;
use tch::{Device, Kind, Tensor};

/// The features of `golden/generate.py`.
fn rows(count: i64, d: i64, salt: f64) -> Tensor {
    let i = Tensor::arange(count, (Kind::Double, Device::Cpu)).unsqueeze(1);
    let j = Tensor::arange(d, (Kind::Double, Device::Cpu)).unsqueeze(0);
    normalize(&(i * 1.7 + j.square() * 0.9 + (1.0 + salt)).sin())
}

fn normalize(rows: &Tensor) -> Tensor {
    rows / rows.norm_scalaropt_dim(2.0, [1].as_slice(), true)
}

#[test]
fn losses_and_gradients_are_pytorchs() {
    let golden: Vec<serde_json::Value> = serde_json::from_str(include_str!("../golden/objectives.json")).unwrap();
    for golden in golden {
        let text = |key: &str| golden[key].as_str().unwrap();
        let name = format!("{} {} {}", text("objective"), golden["options"], text("negatives"));
        let options = toml::Table::try_from(&golden["options"]).unwrap();
        let objective: Part<dyn Objective> = Part::new(text("objective"), options).unwrap();
        let negatives = match text("negatives") {
            "batch" => Negatives::Batch,
            "keys" => Negatives::Keys,
            "hard" => Negatives::Candidates(Tensor::cat(&[rows(6, 5, 0.3), rows(9, 5, 2.0)], 0)),
            _ => Negatives::Bank(rows(9, 5, 2.0)),
        };
        let x = rows(6, 5, 0.0).set_requires_grad(true);
        let pairing = Pairing {
            anchors: normalize(&x),
            positives: rows(6, 5, 0.3),
            negatives,
        };
        let loss = objective.loss(&pairing).value;
        loss.backward();
        let expected = golden["loss"].as_f64().unwrap();
        assert!(
            (loss.double_value(&[]) - expected).abs() < 1e-12,
            "{name}: {loss} is not {expected}"
        );
        let expected = golden["gradient"].as_array().unwrap();
        let expected: Vec<f64> = expected.iter().map(|g| g.as_f64().unwrap()).collect();
        let off = (x.grad().flatten(0, -1) - Tensor::from_slice(&expected))
            .abs()
            .max()
            .double_value(&[]);
        assert!(off < 1e-12, "{name}: the gradient is off by {off:e}");
    }
}

fn term(loss: &fmicl_core::Loss, name: &str) -> f64 {
    loss.terms
        .iter()
        .find(|(found, _)| *found == name)
        .unwrap()
        .1
        .double_value(&[])
}

/// The KL f-MICL whose log ratio is `c / tau` up to the constant `log mu`.
fn kl(tau: f64, mu: f64) -> FMicl {
    let gaussian = toml::Table::from_iter([("sigma".into(), tau.sqrt().into()), ("mu".into(), mu.into())]);
    FMicl {
        divergence: Part::new("kl", toml::Table::new()).unwrap(),
        similarity: Part::new("gaussian", gaussian).unwrap(),
        alpha: Some(1.0),
        negatives: InBatch::Both,
        shift: Some(Shift::None),
    }
}

#[test]
fn infonce_is_never_below_the_kl_f_micl() {
    for (seed, tau) in (0..20).flat_map(|seed| [0.1, 0.5, 1.0].map(|tau| (seed, tau))) {
        let (x, y) = (
            unit_rows(64, 16, Kind::Double, seed),
            unit_rows(64, 16, Kind::Double, seed + 100),
        );
        for (mu, alignment) in [1.0, f64::exp(1.0 / tau)]
            .into_iter()
            .flat_map(|mu| [0.0, 1.0].map(|a| (mu, a)))
        {
            let y = &x * alignment + &y * (1.0 - alignment);
            let pairing = || Pairing {
                anchors: x.shallow_clone(),
                positives: y.shallow_clone(),
                negatives: Negatives::Batch,
            };
            let objective = InfoNce {
                temperature: tau,
                ..Default::default()
            };
            let infonce = term(&objective.loss(&pairing()), "f_mi");
            let kl = kl(tau, mu).loss(&pairing());
            // Jensen holds pair by pair when both average over the same candidates, the positive among them.
            let u = ((&x * &y).sum_dim_intlist([1].as_slice(), false, None) / tau + (mu.ln() - 1.0 / tau)).exp();
            let candidates = (126.0 * term(&kl, "penalty") + u.mean(None).double_value(&[])) / 127.0;
            let bound = term(&kl, "reward") - candidates;
            assert!(
                infonce >= bound - 1e-12,
                "seed {seed}, tau {tau}, mu {mu}: {infonce} < {bound}"
            );
            if alignment == 0.0 && mu == 1.0 {
                assert!(
                    infonce >= term(&kl, "f_mi"),
                    "seed {seed}, tau {tau}: on unrelated features, as it is printed"
                );
            }
        }
    }
}
