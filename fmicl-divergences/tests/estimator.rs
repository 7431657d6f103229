//! The tiled estimator against the formula written out pair by pair, for every registered divergence with every
//! registered similarity and every source of negatives.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use fmicl_core::registry::{self, did_you_mean};
use fmicl_core::testing::{check_objective, unit_rows};
use fmicl_core::{Critic, Divergence, FMicl, InBatch, Negatives, Objective, Pairing, Part, Shift, Similarity};
use fmicl_divergences as _;
use tch::{Device, Kind, Tensor};

fn names<T: registry::Kind + ?Sized>() -> Vec<&'static str> {
    registry::list::<T>().iter().map(|part| part.name).collect()
}

fn objective(divergence: &str, similarity: &str, negatives: InBatch) -> FMicl {
    let empty = toml::Table::new;
    FMicl {
        divergence: Part::<dyn Divergence>::new(divergence, empty()).unwrap(),
        similarity: Part::<dyn Similarity>::new(similarity, empty()).unwrap(),
        alpha: Some(1.7),
        negatives,
        shift: Some(Shift::None),
    }
}

/// `s(x, y)` and `f*(s(x, y))` of one pair, from `f'` and `f*` themselves rather than their closed forms.
fn critic_and_conjugate(objective: &FMicl, x: &Tensor, y: &Tensor) -> (Tensor, Tensor) {
    let value = objective.similarity.value(&x.dot(y));
    match objective.similarity.critic() {
        Critic::Ratio => {
            let t = objective.divergence.critic(&value);
            (t.shallow_clone(), objective.divergence.conjugate(&t))
        }
        Critic::Raw => {
            let (low, high) = objective.divergence.domain();
            let clamped = value.clamp(low, high);
            (value, objective.divergence.conjugate(&clamped))
        }
    }
}

fn naive(objective: &FMicl, pairing: &Pairing) -> Tensor {
    let (x, y) = (&pairing.anchors, &pairing.positives);
    let n = x.size()[0];
    let reward: Vec<_> = (0..n)
        .map(|i| critic_and_conjugate(objective, &x.get(i), &y.get(i)).0)
        .collect();
    let mut penalties = Vec::new();
    let mut penalise = |a: Tensor, b: Tensor| penalties.push(critic_and_conjugate(objective, &a, &b).1);
    match (&pairing.negatives, objective.negatives) {
        (Negatives::Bank(bank), _) => {
            (0..n).for_each(|i| (0..bank.size()[0]).for_each(|k| penalise(x.get(i), bank.get(k))))
        }
        (Negatives::Candidates(all), _) => {
            let others = |i| (0..all.size()[0]).filter(move |j| *j != i);
            (0..n).for_each(|i| others(i).for_each(|j| penalise(x.get(i), all.get(j))))
        }
        (source, negatives) => {
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).filter(|(i, j)| i != j) {
                match (source, negatives) {
                    (Negatives::Keys, _) | (_, InBatch::Cross) => penalise(x.get(i), y.get(j)),
                    (_, InBatch::Within) => penalise(x.get(i), x.get(j)),
                    (_, InBatch::Both) => {
                        for (a, b) in [(x, x), (x, y), (y, x), (y, y)] {
                            penalise(a.get(i), b.get(j));
                        }
                    }
                }
            }
        }
    }
    Tensor::stack(&penalties, 0).mean(None) * objective.alpha.unwrap() - Tensor::stack(&reward, 0).mean(None)
}

fn value_and_grads(
    x: &Tensor,
    y: &Tensor,
    negatives: Negatives,
    loss: impl Fn(&Pairing) -> Tensor,
) -> (f64, Tensor, Tensor) {
    let x = x.copy().set_requires_grad(true);
    let y = y.copy().set_requires_grad(!matches!(negatives, Negatives::Keys));
    let value = loss(&Pairing {
        anchors: x.shallow_clone(),
        positives: y.shallow_clone(),
        negatives,
    });
    value.backward();
    let y_grad = if y.requires_grad() { y.grad() } else { y.zeros_like() };
    (value.double_value(&[]), x.grad(), y_grad)
}

#[test]
fn the_tiled_estimator_is_the_formula_in_value_and_gradient() {
    let (x, y) = (unit_rows(7, 5, Kind::Double, 1), unit_rows(7, 5, Kind::Double, 2));
    let bank = unit_rows(11, 5, Kind::Double, 3);
    for (divergence, similarity) in names::<dyn Divergence>()
        .iter()
        .flat_map(|d| names::<dyn Similarity>().into_iter().map(move |s| (d, s)))
    {
        for negatives in [InBatch::Within, InBatch::Cross, InBatch::Both] {
            let objective = objective(divergence, similarity, negatives);
            for source in [
                |_: &Tensor| Negatives::Batch,
                |_: &Tensor| Negatives::Keys,
                |bank: &Tensor| Negatives::Bank(bank.shallow_clone()),
            ] {
                let tiled = value_and_grads(&x, &y, source(&bank), |pairing| objective.loss(pairing).value);
                let naive = value_and_grads(&x, &y, source(&bank), |pairing| naive(&objective, pairing));
                let what = format!("{divergence} {similarity} {negatives:?} {:?}", source(&bank));
                assert!(
                    (tiled.0 - naive.0).abs() < 1e-10,
                    "{what}: {} is not {}",
                    tiled.0,
                    naive.0
                );
                for (tiled, naive) in [(tiled.1, naive.1), (tiled.2, naive.2)] {
                    let off = (tiled - naive).abs().max().double_value(&[]);
                    assert!(off < 1e-10, "{what}: the gradient is off by {off:e}");
                }
            }
        }
    }
}

#[test]
fn hard_negatives_repel_every_anchor_and_are_repelled() {
    let rows = [7, 7, 9].map(|count| unit_rows(count, 5, Kind::Double, count + 1));
    for divergence in names::<dyn Divergence>() {
        let objective = objective(divergence, "gaussian", InBatch::Within);
        let run = |loss: &dyn Fn(&Pairing) -> Tensor| {
            let [x, y, hard] = rows.each_ref().map(|rows| rows.copy().set_requires_grad(true));
            let value = loss(&Pairing {
                anchors: x.shallow_clone(),
                positives: y.shallow_clone(),
                negatives: Negatives::Candidates(Tensor::cat(&[&y, &hard], 0)),
            });
            value.backward();
            [value.detach(), x.grad(), y.grad(), hard.grad()]
        };
        let (tiled, naive) = (
            run(&|pairing| objective.loss(pairing).value),
            run(&|pairing| naive(&objective, pairing)),
        );
        for (what, (tiled, naive)) in ["value", "anchors", "positives", "hard"]
            .iter()
            .zip(tiled.iter().zip(&naive))
        {
            let off = (tiled - naive).abs().max().double_value(&[]);
            assert!(off < 1e-10, "{divergence}, {what}: off by {off:e}");
        }
    }
}

#[test]
fn many_tiles_give_what_one_matrix_gives() {
    // Not a multiple of the tile's side, so that the last tile is smaller and diagonals cross tiles.
    let n = fmicl_core::estimator::tile(Device::Cpu, Kind::Double) + 150;
    let (x, y) = (unit_rows(n, 16, Kind::Double, 1), unit_rows(n, 16, Kind::Double, 2));
    for negatives in [InBatch::Within, InBatch::Cross, InBatch::Both] {
        let objective = objective("kl", "gaussian", negatives);
        let dense = |pairing: &Pairing| {
            let (x, y) = (&pairing.anchors, &pairing.positives);
            let (rows, columns) = match negatives {
                InBatch::Within => (x.shallow_clone(), x.shallow_clone()),
                InBatch::Cross => (x.shallow_clone(), y.shallow_clone()),
                InBatch::Both => (Tensor::cat(&[x, y], 0), Tensor::cat(&[x, y], 0)),
            };
            let mut kept = Tensor::eye(rows.size()[0], (Kind::Double, x.device()));
            if negatives == InBatch::Both {
                kept = kept.repeat([1, 1]) + kept.roll([n], [1]);
            }
            let kept = 1.0 - kept;
            let penalty = (objective
                .divergence
                .penalty(&objective.similarity.value(&rows.matmul(&columns.tr())))
                * &kept)
                .sum(None::<Kind>)
                / kept.sum(None::<Kind>);
            let cosine = (x * y).sum_dim_intlist([1].as_slice(), false, None);
            penalty * objective.alpha.unwrap()
                - objective
                    .divergence
                    .critic(&objective.similarity.value(&cosine))
                    .mean(None)
        };
        let tiled = value_and_grads(&x, &y, Negatives::Batch, |pairing| objective.loss(pairing).value);
        let dense = value_and_grads(&x, &y, Negatives::Batch, dense);
        assert!(
            (tiled.0 - dense.0).abs() < 1e-10,
            "{negatives:?}: {} is not {}",
            tiled.0,
            dense.0
        );
        assert!(
            (tiled.1 - dense.1).abs().max().double_value(&[]) < 1e-12,
            "{negatives:?}"
        );
        assert!(
            (tiled.2 - dense.2).abs().max().double_value(&[]) < 1e-12,
            "{negatives:?}"
        );
    }
}

#[test]
fn f_micl_obeys_the_objective_laws_with_every_divergence_and_similarity() {
    for divergence in names::<dyn Divergence>() {
        for similarity in names::<dyn Similarity>() {
            for negatives in [InBatch::Within, InBatch::Cross, InBatch::Both] {
                check_objective(&objective(divergence, similarity, negatives));
            }
        }
    }
}

#[test]
fn pearson_with_the_linear_similarity_is_the_spectral_contrastive_loss_up_to_a_constant() {
    let objective = FMicl {
        alpha: Some(1.0),
        ..objective("pearson", "linear", InBatch::Cross)
    };
    let spectral = |pairing: &Pairing| {
        let cosines = pairing.anchors.matmul(&pairing.positives.tr());
        let n = cosines.size()[0] as f64;
        let positive = cosines.diagonal(0, 0, 1).mean(None::<Kind>);
        let negative = (cosines.square().sum(None::<Kind>) - cosines.diagonal(0, 0, 1).square().sum(None::<Kind>))
            / (n * (n - 1.0));
        positive * -2.0 + negative
    };
    let gap = |seed: i64| {
        let (x, y) = (
            unit_rows(9, 4, Kind::Double, seed),
            unit_rows(9, 4, Kind::Double, seed + 50),
        );
        let ours = value_and_grads(&x, &y, Negatives::Batch, |pairing| objective.loss(pairing).value);
        let theirs = value_and_grads(&x, &y, Negatives::Batch, spectral);
        assert!(
            (ours.1 - theirs.1).abs().max().double_value(&[]) < 1e-12,
            "the gradients differ"
        );
        ours.0 - theirs.0
    };
    for seed in 1..5 {
        assert!((gap(seed) - 1.0).abs() < 1e-12, "the constant is {}", gap(seed));
    }
}

#[test]
fn a_raw_critic_outside_the_domain_is_clamped_and_repels_no_more() {
    for (divergence, bound) in [("js", 2f64.ln()), ("hellinger", 1.0), ("vlc", 1.0)] {
        let objective = objective(divergence, "cosine", InBatch::Within);
        assert!(objective.divergence.domain().1 < bound, "{divergence}");
        let near = unit_rows(1, 4, Kind::Double, 1).repeat([3, 1]);
        let (_, grad, _) = value_and_grads(&near, &near, Negatives::Batch, |pairing| {
            let reward = (&pairing.anchors * &pairing.positives).sum(None::<Kind>) * 0.0;
            let loss = objective.loss(pairing);
            assert!(loss.value.double_value(&[]).is_finite(), "{divergence}");
            loss.value + reward
        });
        // What is left is the pull of the positives: -y / (tau N).
        assert!(
            (grad + near / 3.0).abs().max().double_value(&[]) < 1e-12,
            "{divergence}"
        );
    }
}

#[test]
fn the_names_are_these() {
    assert_eq!(
        names::<dyn Divergence>(),
        [
            "hellinger",
            "jeffreys",
            "js",
            "kl",
            "neyman",
            "pearson",
            "reverse-kl",
            "tsallis",
            "vlc"
        ]
    );
    assert_eq!(names::<dyn Similarity>(), ["cosine", "gaussian", "linear"]);
    assert_eq!(
        did_you_mean("pearsn", &names::<dyn Divergence>()),
        " (did you mean `pearson`?)"
    );
}

#[test]
fn in_f32_many_tiles_give_what_f64_gives_and_the_same_each_time() {
    let n = 3 * fmicl_core::estimator::tile(Device::Cpu, Kind::Float) + 100;
    let (x, y) = (unit_rows(n, 128, Kind::Double, 1), unit_rows(n, 128, Kind::Double, 2));
    let single = |features: &Tensor| features.to_kind(Kind::Float);
    for divergence in names::<dyn Divergence>() {
        let objective = objective(divergence, "gaussian", InBatch::Within);
        let graded =
            |x: &Tensor, y: &Tensor| value_and_grads(x, y, Negatives::Batch, |pairing| objective.loss(pairing).value);
        let (value, grad, _) = graded(&single(&x), &single(&y));
        let (again, grad_again, _) = graded(&single(&x), &single(&y));
        assert_eq!(value.to_bits(), again.to_bits(), "{divergence}");
        assert!(grad.equal(&grad_again), "{divergence}");
        let (exact, exact_grad, _) = graded(&x, &y);
        assert!(
            (value - exact).abs() < 2e-6 * exact.abs().max(1.0),
            "{divergence}: {value} is not {exact}"
        );
        let off = ((grad - &exact_grad).abs().max() / exact_grad.abs().max()).double_value(&[]);
        assert!(
            off < 1e-5,
            "{divergence}: the gradient is off by {off:e} of its largest"
        );
    }
}
