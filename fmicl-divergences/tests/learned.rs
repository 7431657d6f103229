//! Learned factors of the Gaussian similarity: gradients against autograd in f64 over dense matrices.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use fmicl_core::estimator::{Critics, set_tile};
use fmicl_core::registry;
use fmicl_core::testing::unit_rows;
use fmicl_core::{Divergence, FMicl, InBatch, Learned, Loss, Negatives, Objective, Pairing, Part, Shift, Similarity};
use fmicl_divergences as _;
use tch::{Kind, Tensor};

const SOURCES: [&str; 6] = ["within", "cross", "both", "keys", "candidates", "bank"];

/// The factors of the similarity: its options, and the offset of the log ratio at `log mu`, the scale and the negatives'
/// cosines.
struct Factors {
    options: &'static str,
    offset: fn(&Tensor, &Tensor, &Tensor) -> Tensor,
}

/// Every choice of what is learned.
const FACTORS: [Factors; 6] = [
    Factors {
        options: "learn = true",
        offset: |log_mu, scale, _| log_mu - scale,
    },
    Factors {
        options: "learn = ['sigma']",
        offset: |_, scale, _| scale.zeros_like(),
    },
    Factors {
        options: "mu = 3, learn = ['sigma']",
        offset: |_, scale, _| 3f64.ln() - scale,
    },
    Factors {
        options: "mu = 3, learn = ['mu']",
        offset: |log_mu, scale, _| log_mu - scale,
    },
    Factors {
        options: "mu = 'batch', learn = ['sigma']",
        offset: |_, scale, cosines| -(cosines * scale).exp().mean(None).log(),
    },
    Factors {
        options: "mu = 'uniform', learn = ['sigma']",
        // In three dimensions.
        offset: |_, scale, _| -(scale.sinh() / scale).log(),
    },
];

fn objective(divergence: &str, options: &str, alpha: f64, source: &str, shift: Shift) -> FMicl {
    let similarity = format!("similarity = {{ name = 'gaussian', {options} }}");
    let similarity = similarity.parse::<toml::Table>().unwrap();
    FMicl {
        divergence: Part::<dyn Divergence>::new(divergence, toml::Table::new()).unwrap(),
        similarity: Part::<dyn Similarity>::from_value(similarity["similarity"].clone()).unwrap(),
        alpha: Some(alpha),
        negatives: match source {
            "cross" => InBatch::Cross,
            "both" => InBatch::Both,
            _ => InBatch::Within,
        },
        shift: Some(shift),
    }
}

fn pairing(source: &str, x: &Tensor, y: &Tensor, bank: &Tensor) -> Pairing {
    Pairing {
        anchors: x.shallow_clone(),
        positives: y.shallow_clone(),
        negatives: match source {
            "keys" => Negatives::Keys,
            "candidates" => Negatives::Candidates(Tensor::cat(&[y, bank], 0)),
            "bank" => Negatives::Bank(bank.shallow_clone()),
            _ => Negatives::Batch,
        },
    }
}

/// Cosines of the negative pairs, a vector, with gradient.
fn negative_cosines(source: &str, x: &Tensor, y: &Tensor, bank: &Tensor) -> Tensor {
    let n = x.size()[0];
    let others = |matrix: Tensor, excluded: &[i64]| {
        let kept = Tensor::ones(matrix.size(), (Kind::Bool, x.device()));
        for &offset in excluded {
            let _ = kept.diagonal(offset, 0, 1).fill_(0);
        }
        matrix.masked_select(&kept)
    };
    match source {
        "within" => others(x.matmul(&x.tr()), &[0]),
        "cross" | "keys" => others(x.matmul(&y.tr()), &[0]),
        "candidates" => others(x.matmul(&Tensor::cat(&[y, bank], 0).tr()), &[0]),
        "bank" => x.matmul(&bank.tr()).view(-1),
        _ => {
            let both = Tensor::cat(&[x, y], 0);
            others(both.matmul(&both.tr()), &[0, n, -n])
        }
    }
}

/// `log sigma^2` and `log mu`, leaves of their own; not those at which the options begin.
fn scalars(kind: Kind) -> [Tensor; 2] {
    [0.4f64.ln(), 2.5f64.ln()].map(|value| Tensor::from(value).to_kind(kind).set_requires_grad(true))
}

/// The part of the two that is learned; the other one begins where the options say.
fn learned(objective: &FMicl, [log_temperature, log_mu]: &[Tensor; 2]) -> Vec<Tensor> {
    let pick = |scalar: &Learned| match scalar.name {
        "log_temperature" => log_temperature.shallow_clone(),
        _ => log_mu.shallow_clone(),
    };
    objective.similarity.learned().iter().map(pick).collect()
}

/// The loss by the definition, at a given shift, which is a constant.
fn naive(objective: &FMicl, factors: &Factors, all: &[Tensor; 2], shift: f64, cosines: [Tensor; 2]) -> Tensor {
    let is_learned = |name: &str| objective.similarity.learned().iter().any(|scalar| scalar.name == name);
    let scale = match is_learned("log_temperature") {
        true => (-&all[0]).exp(),
        false => Tensor::from(2.0),
    };
    let [negative, positive] = cosines;
    let offset = (factors.offset)(&all[1], &scale, &negative);
    let is_best = objective.shift == Some(Shift::Best);
    // Here no offset has an effect on the loss.
    let is_idle = is_best && objective.divergence.has_exponential_conjugate();
    let offset = if is_idle { offset.detach() } else { offset };
    let log_ratio = |cosines: &Tensor| cosines * &scale + &offset;
    let (low, high) = Critics::new(&*objective.divergence, &*objective.similarity).bounds();
    let reward = objective.divergence.critic(&log_ratio(&positive)) - shift;
    let penalty = match is_best {
        true => {
            let critic = objective.divergence.critic(&log_ratio(&negative));
            objective.divergence.conjugate(&(critic - shift).clamp(low, high))
        }
        false => objective.divergence.penalty(&log_ratio(&negative)),
    };
    penalty.mean(None) * objective.alpha.unwrap() - reward.mean(None)
}

fn term(loss: &Loss, name: &str) -> Option<f64> {
    let found = loss.terms.iter().find(|(term, _)| *term == name);
    found.map(|(_, value)| value.double_value(&[]))
}

fn close(what: &str, ours: &Tensor, expected: &Tensor, tolerance: f64) {
    let most = expected.abs().max().double_value(&[]).max(1.0);
    let off = (ours.to_kind(Kind::Double) - expected).abs().max().double_value(&[]) / most;
    assert!(off < tolerance, "{what}: off by {off:e}");
}

#[test]
fn gradients_of_sigma_and_mu_are_autograds_over_dense_matrices() {
    set_tile(Some(7));
    let rows = |count, seed| unit_rows(count, 3, Kind::Double, seed);
    let (x, y, bank) = (rows(23, 1), rows(23, 2), rows(31, 3));
    for divergence in registry::list::<dyn Divergence>() {
        for (factors, source) in FACTORS
            .iter()
            .flat_map(|factors| SOURCES.map(|source| (factors, source)))
        {
            for shift in [Shift::None, Shift::Best] {
                if shift == Shift::Best && factors.options.contains("batch") {
                    continue;
                }
                let (name, options) = (divergence.name, factors.options);
                let objective = objective(name, options, 1.7, source, shift);
                let what = format!("{name}, {options}, {source}, {shift:?}");
                let leaves = || [&x, &y].map(|rows| rows.copy().set_requires_grad(true));
                let (features, all) = (leaves(), scalars(Kind::Double));
                let loss = objective.loss_at(
                    &pairing(source, &features[0], &features[1], &bank),
                    &learned(&objective, &all),
                );
                loss.value.backward();

                let (dense, dense_all) = (leaves(), scalars(Kind::Double));
                let positive = (&dense[0] * &dense[1]).sum_dim_intlist([1].as_slice(), false, None);
                let cosines = [negative_cosines(source, &dense[0], &dense[1], &bank), positive];
                let v = term(&loss, "shift").unwrap_or(0.0);
                let expected = naive(&objective, factors, &dense_all, v, cosines);
                expected.backward();

                close(&format!("{what}: the loss"), &loss.value, &expected, 1e-8);
                for (ours, expected) in features.iter().zip(&dense) {
                    close(&format!("{what}: a feature"), &ours.grad(), &expected.grad(), 1e-8);
                }
                for (ours, expected) in all.iter().zip(&dense_all) {
                    let [ours, expected] = [ours.grad(), expected.grad()];
                    // Where it has no effect, one of them may have no gradient at all.
                    let has = |gradient: &Tensor| gradient.defined() && gradient.double_value(&[]) != 0.0;
                    assert_eq!(has(&ours), has(&expected), "{what}: {ours:?} and {expected:?}");
                    if has(&ours) {
                        close(&format!("{what}: a scalar"), &ours, &expected, 1e-8);
                    }
                }
            }
        }
    }
    set_tile(None);
}

#[test]
fn at_the_values_of_the_options_the_loss_is_that_without_learning() {
    let rows = |kind, seed| unit_rows(40, 16, kind, seed);
    for (kind, tolerance) in [(Kind::Double, 1e-12), (Kind::Float, 2e-5)] {
        let (x, y) = (rows(kind, 1), rows(kind, 2));
        for divergence in registry::list::<dyn Divergence>() {
            for (factors, shift) in FACTORS
                .iter()
                .flat_map(|factors| [(factors, Shift::None), (factors, Shift::Best)])
            {
                if shift == Shift::Best && factors.options.contains("batch") {
                    continue;
                }
                let objective = objective(divergence.name, factors.options, 1.7, "within", shift);
                let begin = |scalar: &Learned| Tensor::from(scalar.initial).to_kind(kind).set_requires_grad(true);
                let begin: Vec<_> = objective.similarity.learned().iter().map(begin).collect();
                let pairing = pairing("within", &x, &y, &x);
                let (at, fixed) = (objective.loss_at(&pairing, &begin), objective.loss(&pairing));
                let what = format!("{}, {}, {shift:?}, {kind:?}", divergence.name, factors.options);
                close(&what, &at.value, &fixed.value.to_kind(Kind::Double), tolerance);
                assert_eq!(at.value.kind(), kind, "{what}");
                for ((name, at), (_, fixed)) in at.terms.iter().zip(&fixed.terms) {
                    close(
                        &format!("{what}, {name}"),
                        at,
                        &fixed.to_kind(Kind::Double),
                        10.0 * tolerance,
                    );
                }
            }
        }
    }
}

#[test]
fn ranges_are_those_in_which_the_objective_is_finite_in_f32() {
    for divergence in registry::list::<dyn Divergence>() {
        for factors in &FACTORS {
            let objective = objective(divergence.name, factors.options, 1.0, "within", Shift::None);
            let learned = objective.learned();
            let x = unit_rows(20, 4, Kind::Float, 1);
            // With features of cosines 1 and -1 too.
            let x = Tensor::cat(&[&x, &x, &-&x], 0);
            for corner in 0..1 << learned.len() {
                let end = |(index, scalar): (usize, &Learned)| match corner >> index & 1 {
                    0 => scalar.range.0,
                    _ => scalar.range.1,
                };
                let ends: Vec<f64> = learned.iter().enumerate().map(end).collect();
                let leaf = |&end: &f64| Tensor::from(end).to_kind(Kind::Float).set_requires_grad(true);
                let values: Vec<_> = ends.iter().map(leaf).collect();
                let features = x.copy().set_requires_grad(true);
                let loss = objective.loss_at(&pairing("within", &features, &-&x, &x), &values);
                loss.value.backward();
                let what = format!("{}, {}, {ends:?}", divergence.name, factors.options);
                assert!(loss.value.double_value(&[]).is_finite(), "{what}: the loss");
                let finite = |tensor: Tensor| tensor.isfinite().all().int64_value(&[]) == 1;
                assert!(finite(features.grad()), "{what}: the features");
                for value in &values {
                    assert!(finite(value.grad()), "{what}: {:?}", value.grad());
                }
            }
            for scalar in &learned {
                let (low, high) = scalar.range;
                assert!(
                    low < scalar.initial - 0.5 && high > scalar.initial + 0.5,
                    "{}: {scalar:?}",
                    divergence.name
                );
            }
        }
    }
}
