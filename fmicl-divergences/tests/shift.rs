//! The shift of the critic and the factor of the ratio, against a search in f64 over dense matrices.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use fmicl_core::estimator::Critics;
use fmicl_core::registry;
use fmicl_core::testing::unit_rows;
use fmicl_core::{
    Critic, Divergence, FMicl, InBatch, Negatives, Normaliser, Objective, Pairing, Part, Shift, Similarity,
};
use fmicl_divergences as _;
use tch::{Kind, Tensor};

const SOURCES: [&str; 5] = ["within", "cross", "both", "keys", "bank"];

fn objective(divergence: &str, similarity: &str, alpha: f64, negatives: InBatch, shift: Shift) -> FMicl {
    let similarity = format!("name = 'x'\nsimilarity = {similarity}")
        .parse::<toml::Table>()
        .unwrap();
    FMicl {
        divergence: Part::<dyn Divergence>::new(divergence, toml::Table::new()).unwrap(),
        similarity: Part::<dyn Similarity>::from_value(similarity["similarity"].clone()).unwrap(),
        alpha: Some(alpha),
        negatives,
        shift: Some(shift),
    }
}

fn divergences() -> Vec<&'static str> {
    registry::list::<dyn Divergence>()
        .iter()
        .map(|part| part.name)
        .collect()
}

/// Cosines of the negative pairs, a vector, with gradient.
fn negative_cosines(source: &str, x: &Tensor, y: &Tensor, bank: &Tensor) -> Tensor {
    let n = x.size()[0];
    let others = |matrix: Tensor, excluded: &[i64]| {
        let mut kept = Tensor::ones(matrix.size(), (Kind::Bool, x.device()));
        for &offset in excluded {
            let _ = kept.diagonal(offset, 0, 1).fill_(0);
        }
        let _ = &mut kept;
        matrix.masked_select(&kept)
    };
    match source {
        "within" => others(x.matmul(&x.tr()), &[0]),
        "cross" | "keys" => others(x.matmul(&y.tr()), &[0]),
        "bank" => x.matmul(&bank.tr()).view(-1),
        _ => {
            let both = Tensor::cat(&[x, y], 0);
            others(both.matmul(&both.tr()), &[0, n, -n])
        }
    }
}

/// The loss by the definition: the shift by halving a bracket on the dense vector of critics.
fn naive(objective: &FMicl, source: &str, x: &Tensor, y: &Tensor, bank: &Tensor) -> Tensor {
    let negatives = negative_cosines(source, x, y, bank);
    let positives = (x * y).sum_dim_intlist([1].as_slice(), false, None);
    let offset = match objective.similarity.normaliser() {
        Normaliser::Off => Tensor::from(0.0),
        Normaliser::Batch => -objective.similarity.value(&negatives).exp().mean(None).log(),
        Normaliser::Uniform => panic!("not here"),
    };
    let (low, high) = Critics::new(&*objective.divergence, &*objective.similarity).bounds();
    let critic = |cosines: &Tensor| {
        let value = objective.similarity.value(cosines);
        match objective.similarity.critic() {
            Critic::Ratio => objective.divergence.critic(&(value + &offset)),
            Critic::Raw => value,
        }
    };
    let (s, s_positive) = (critic(&negatives), critic(&positives));
    let penalty = |shift: f64| match (objective.similarity.critic(), objective.shift) {
        (Critic::Ratio, Some(Shift::None)) => objective.divergence.conjugate(&s).mean(None),
        _ => objective
            .divergence
            .conjugate(&(&s - shift).clamp(low, high))
            .mean(None),
    };
    let shift = match objective.shift.unwrap() {
        Shift::None => 0.0,
        Shift::Best => {
            let s = s.detach();
            // (f*)' at t is u where f'(u) = t.
            let ratio = |shift: f64| {
                let t = (&s - shift).clamp(low, high).set_requires_grad(true);
                let total = objective.divergence.conjugate(&t).sum(None);
                Tensor::run_backward(&[total], &[&t], false, false)[0]
                    .mean(None)
                    .double_value(&[])
            };
            let one = objective.divergence.critic(&Tensor::from(0.0)).double_value(&[]);
            let most = s.max().double_value(&[]);
            let mut lower = (s.min().double_value(&[]) - one).max(most - high + (most.abs() + 1.0) * 1e-4);
            let mut upper = most - one;
            for _ in 0..200 {
                let middle = (lower + upper) / 2.0;
                if ratio(middle) > 1.0 {
                    lower = middle
                } else {
                    upper = middle
                }
            }
            (lower + upper) / 2.0
        }
    };
    penalty(shift) * objective.alpha.unwrap() - (s_positive - shift).mean(None)
}

fn value_and_grads(x: &Tensor, y: &Tensor, loss: impl Fn(&Tensor, &Tensor) -> Tensor) -> (f64, Vec<Tensor>) {
    let features = [x, y].map(|rows| rows.copy().set_requires_grad(true));
    let value = loss(&features[0], &features[1]);
    value.backward();
    (value.double_value(&[]), features.map(|rows| rows.grad()).into())
}

fn pairing(source: &str, x: &Tensor, y: &Tensor, bank: &Tensor) -> Pairing {
    Pairing {
        anchors: x.shallow_clone(),
        positives: y.shallow_clone(),
        negatives: match source {
            "keys" => Negatives::Keys,
            "bank" => Negatives::Bank(bank.shallow_clone()),
            _ => Negatives::Batch,
        },
    }
}

fn in_batch(source: &str) -> InBatch {
    match source {
        "cross" => InBatch::Cross,
        "both" => InBatch::Both,
        _ => InBatch::Within,
    }
}

#[test]
fn the_best_shift_is_that_of_a_search_in_value_and_gradient() {
    let (x, y) = (unit_rows(23, 5, Kind::Double, 1), unit_rows(23, 5, Kind::Double, 2));
    let bank = unit_rows(31, 5, Kind::Double, 3);
    for divergence in divergences() {
        for similarity in [
            "'gaussian'",
            "{ name = 'gaussian', mu = 1 }",
            "{ name = 'gaussian', mu = 'batch' }",
            "'cosine'",
        ] {
            for (source, alpha) in SOURCES.iter().flat_map(|source| [(source, 1.0), (source, 1.7)]) {
                let objective = objective(divergence, similarity, alpha, in_batch(source), Shift::Best);
                let ours = value_and_grads(&x, &y, |x, y| objective.loss(&pairing(source, x, y, &bank)).value);
                let naive = value_and_grads(&x, &y, |x, y| naive(&objective, source, x, y, &bank));
                let what = format!("{divergence}, {similarity}, {source}, alpha {alpha}");
                let off = (ours.0 - naive.0).abs() / naive.0.abs().max(1.0);
                assert!(off < 1e-8, "{what}: {} is not {}", ours.0, naive.0);
                for (ours, naive) in ours.1.iter().zip(&naive.1) {
                    let most = naive.abs().max().double_value(&[]).max(1.0);
                    let off = (ours - naive).abs().max().double_value(&[]) / most;
                    assert!(off < 1e-8, "{what}: the gradient is off by {off:e}");
                }
            }
        }
    }
}

#[test]
fn a_normalised_batch_has_a_mean_ratio_of_one_and_its_factor_has_a_gradient() {
    let (x, y) = (unit_rows(23, 5, Kind::Double, 1), unit_rows(23, 5, Kind::Double, 2));
    let bank = unit_rows(31, 5, Kind::Double, 3);
    for divergence in divergences() {
        for source in SOURCES {
            let objective = objective(
                divergence,
                "{ name = 'gaussian', mu = 'batch' }",
                1.7,
                in_batch(source),
                Shift::None,
            );
            let ours = value_and_grads(&x, &y, |x, y| objective.loss(&pairing(source, x, y, &bank)).value);
            let naive = value_and_grads(&x, &y, |x, y| naive(&objective, source, x, y, &bank));
            assert!(
                (ours.0 - naive.0).abs() < 1e-10,
                "{divergence}, {source}: {} is not {}",
                ours.0,
                naive.0
            );
            for (ours, naive) in ours.1.iter().zip(&naive.1) {
                let off = (ours - naive).abs().max().double_value(&[]);
                assert!(off < 1e-10, "{divergence}, {source}: the gradient is off by {off:e}");
            }
        }
    }
}

#[test]
fn kullback_leibler_at_the_best_shift_is_donsker_varadhans_bound_and_infonce_is_never_below_it() {
    let n = 40;
    for seed in 1..6 {
        let x = unit_rows(n, 6, Kind::Double, seed);
        let y = &x + unit_rows(n, 6, Kind::Double, seed + 50) * 0.5;
        let y = &y / y.norm_scalaropt_dim(2, [1].as_slice(), true);
        for temperature in [0.05, 0.1, 0.5] {
            let similarity = format!("{{ name = 'gaussian', temperature = {temperature:?}, mu = 3 }}");
            let objective = objective("kl", &similarity, 1.0, InBatch::Cross, Shift::Best);
            let loss = objective.loss(&pairing("cross", &x, &y, &x));
            let terms: std::collections::HashMap<_, _> = loss.terms.into_iter().collect();
            // The bound is the negative loss: mean_neg f* is 1 there, and s carries 1 as well.
            let bound = -loss.value.double_value(&[]);
            let logits = x.matmul(&y.tr()) / temperature;
            let positive = logits.diagonal(0, 0, 1);
            let off_diagonal = logits.masked_fill(&Tensor::eye(n, (Kind::Bool, x.device())), f64::NEG_INFINITY);
            let negative = off_diagonal.view(-1).logsumexp([0].as_slice(), false) - ((n * (n - 1)) as f64).ln();
            let donsker_varadhan = (positive.mean(None::<Kind>) - negative).double_value(&[]);
            assert!(
                (bound - donsker_varadhan).abs() < 1e-10,
                "{bound} is not {donsker_varadhan}"
            );
            assert!((terms["f_mi"].double_value(&[]) - bound).abs() < 1e-10);
            // The bound of InfoNCE over negatives alone: the mean of the logarithms is at most the logarithm of the mean.
            let each = off_diagonal.logsumexp([1].as_slice(), false) - ((n - 1) as f64).ln();
            let info_nce = (positive - each).mean(None::<Kind>).double_value(&[]);
            assert!(info_nce >= bound - 1e-12, "{info_nce} is below {bound}");
        }
    }
}

#[test]
fn in_f32_and_over_many_tiles_the_shift_is_that_of_f64() {
    let n = fmicl_core::estimator::tile(tch::Device::Cpu, Kind::Float) + 100;
    let (x, y) = (unit_rows(n, 32, Kind::Double, 1), unit_rows(n, 32, Kind::Double, 2));
    let single = |features: &Tensor| features.to_kind(Kind::Float);
    for divergence in divergences() {
        let objective = objective(divergence, "'gaussian'", 1.0, InBatch::Within, Shift::Best);
        let graded =
            |x: &Tensor, y: &Tensor| value_and_grads(x, y, |x, y| objective.loss(&pairing("within", x, y, x)).value);
        let (value, grads) = graded(&single(&x), &single(&y));
        let (exact, exact_grads) = graded(&x, &y);
        assert!(
            (value - exact).abs() < 1e-5 * exact.abs().max(1.0),
            "{divergence}: {value} is not {exact}"
        );
        let off = ((&grads[0] - &exact_grads[0]).abs().max() / exact_grads[0].abs().max()).double_value(&[]);
        assert!(
            off < 5e-5,
            "{divergence}: the gradient is off by {off:e} of its largest"
        );
        let (again, again_grads) = graded(&single(&x), &single(&y));
        assert_eq!(value.to_bits(), again.to_bits(), "{divergence}");
        assert!(grads[0].equal(&again_grads[0]), "{divergence}");
    }
}

#[test]
fn a_uniform_factor_gives_uniform_features_a_mean_ratio_of_one() {
    for (dimension, temperature) in [(2, 0.5), (3, 0.2), (64, 0.5), (4096, 0.05)] {
        let x = unit_rows(1500, dimension, Kind::Double, 5);
        let similarity = format!("{{ name = 'gaussian', mu = 'uniform', temperature = {temperature:?} }}");
        let objective = objective("kl", &similarity, 1.0, InBatch::Within, Shift::None);
        let loss = objective.loss(&pairing("within", &x, &x, &x));
        // For Kullback-Leibler the penalty is the mean ratio.
        let (_, penalty) = loss.terms.iter().find(|(name, _)| *name == "penalty").unwrap();
        let ratio = penalty.double_value(&[]);
        assert!((ratio - 1.0).abs() < 0.05, "d = {dimension}: the mean ratio is {ratio}");
    }
}
