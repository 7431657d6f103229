//! Products and losses of few features and odd numbers of rows on every processor: what is written beyond a buffer is found.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use fmicl_core::testing::{on_every_processor, unit_rows};
use fmicl_core::{Divergence, FMicl, InBatch, Negatives, Objective, Pairing, Part, Shift, Similarity, linear};
use fmicl_divergences as _;
use tch::{Kind, Tensor};

fn leaf(rows: i64, columns: i64, seed: i64) -> Tensor {
    unit_rows(rows, columns, Kind::Float, seed).set_requires_grad(true)
}

/// Large enough for the route through oneDNN's convolutions, whichever of the three sizes is small.
#[test]
fn products_are_right_on_every_processor() {
    on_every_processor("products_are_right_on_every_processor", || {
        tch::set_num_threads(2);
        let large = |a: i64, b: i64| (1 << 20) / (a * b) + 3;
        for a in 1..=17 {
            for b in [1, 2, 3, 7, 8, 9, 15, 17] {
                for (m, n, k) in [(large(a, b), a, b), (a, large(a, b), b), (a, b, large(a, b))] {
                    let (x, weight, bias) = (leaf(m, k, 1), leaf(n, k, 2), leaf(1, n, 3));
                    linear(&x, &weight, Some(&bias.view(-1))).sum(Kind::Float).backward();
                    let exact = x
                        .detach()
                        .to_kind(Kind::Double)
                        .sum_dim_intlist([0].as_slice(), false, Kind::Double);
                    let far = (weight.grad().to_kind(Kind::Double) - exact)
                        .abs()
                        .max()
                        .double_value(&[]);
                    assert!(
                        far < 0.05 && x.grad().isfinite().all().int64_value(&[]) == 1,
                        "{m} {n} {k}: off by {far}"
                    );
                }
            }
        }
    });
}

fn loss(pairing: &Pairing, negatives: InBatch) -> Tensor {
    let objective = FMicl {
        divergence: Part::<dyn Divergence>::new("js", toml::Table::new()).unwrap(),
        similarity: Part::<dyn Similarity>::new("gaussian", toml::Table::new()).unwrap(),
        alpha: Some(1.0),
        negatives,
        shift: Some(Shift::None),
    };
    objective.loss(pairing).value
}

#[test]
fn losses_are_those_of_f64_on_every_processor() {
    on_every_processor("losses_are_those_of_f64_on_every_processor", || {
        tch::set_num_threads(2);
        for (rows, d) in (2..=17)
            .map(|n| (n, n))
            .chain([(1030, 1), (1030, 3), (2049, 7), (1025, 17), (700, 128)])
        {
            let gradients = |kind: Kind, negatives: &Negatives, in_batch| {
                let [anchors, positives] =
                    [1, 2].map(|seed| leaf(rows, d, seed).detach().to_kind(kind).set_requires_grad(true));
                let negatives = match negatives {
                    Negatives::Bank(bank) => Negatives::Bank(bank.to_kind(kind)),
                    _ => Negatives::Batch,
                };
                let pairing = Pairing {
                    anchors,
                    positives,
                    negatives,
                };
                loss(&pairing, in_batch).backward();
                Tensor::cat(&[pairing.anchors.grad(), pairing.positives.grad()], 0).to_kind(Kind::Double)
            };
            let bank = Negatives::Bank(leaf(2 * rows + 1, d, 3).detach());
            for (negatives, in_batch) in [
                (&Negatives::Batch, InBatch::Within),
                (&Negatives::Batch, InBatch::Both),
                (&bank, InBatch::Within),
            ] {
                let [found, exact] = [Kind::Float, Kind::Double].map(|kind| gradients(kind, negatives, in_batch));
                let far = (found - exact).abs().max().double_value(&[]);
                assert!(far < 1e-5, "{rows} rows of {d}: off by {far}");
            }
        }
    });
}
