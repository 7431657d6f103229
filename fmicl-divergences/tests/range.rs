//! Options with which an objective leaves the range of f32.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use fmicl_core::testing::unit_rows;
use fmicl_core::{Divergence, Error, Negatives, Objective, Pairing, Part, Result, registry};
use fmicl_divergences as _;
use tch::{Kind, Tensor};

fn objective(divergence: &str, similarity: &str) -> Result<Part<dyn Objective>> {
    let options = format!("name = 'f-micl'\ndivergence = '{divergence}'\nsimilarity = {similarity}");
    Part::from_value(toml::Value::Table(options.parse().unwrap()))
}

fn gaussian(divergence: &str, sigma: f64) -> Result<Part<dyn Objective>> {
    objective(divergence, &format!("{{ name = 'gaussian', sigma = {sigma:?} }}"))
}

#[test]
fn what_is_too_steep_is_refused_with_the_option_that_is_at_fault() {
    let message = gaussian("kl", 0.05).unwrap_err().to_string();
    assert_eq!(
        message,
        "similarity: `gaussian { sigma = 0.05 }` is too steep for `kl` in f32: the penalty of a negative pair is 1e33 at a \
         cosine of 0.19, and may be 3e32 at most; a larger sigma keeps it in range"
    );
    for (divergence, similarity, remedy) in [
        ("pearson", "{ name = 'gaussian', sigma = 0.1 }", "a larger sigma"),
        ("tsallis", "{ name = 'gaussian', sigma = 0.1 }", "a larger sigma"),
        ("hellinger", "{ name = 'gaussian', sigma = 0.05 }", "a larger sigma"),
        (
            "pearson",
            "{ name = 'gaussian', sigma = 0.5, mu = 1e17 }",
            "a larger sigma, or a mu nearer to 1",
        ),
        ("kl", "{ name = 'cosine', tau = 0.01 }", "a larger tau"),
        (
            "kl",
            "{ name = 'linear', slope = 100.0 }",
            "a smaller slope, or an offset nearer to 0",
        ),
    ] {
        match objective(divergence, similarity).unwrap_err() {
            Error::Config { key, problem } => {
                assert_eq!(key, "similarity");
                let message = Error::from(problem).to_string();
                let end = format!("; {remedy} keeps it in range");
                assert!(message.ends_with(&end), "{divergence}, {similarity}: {message}");
            }
            other => panic!("{other}"),
        }
    }
    // Bounded or linear, however narrow the kernel is.
    for divergence in ["js", "vlc"] {
        gaussian(divergence, 0.01).unwrap();
    }
}

#[test]
fn an_order_of_the_divergence_that_is_too_steep_is_told_as_well() {
    let options = "name = 'f-micl'\ndivergence = { name = 'tsallis', alpha = 40.0 }\nsimilarity = 'gaussian'";
    let error = Part::<dyn Objective>::from_value(toml::Value::Table(options.parse().unwrap())).unwrap_err();
    let end = "; a larger sigma, or a smaller alpha of the divergence, keeps it in range";
    assert!(error.to_string().ends_with(end), "{error}");
}

#[test]
fn a_mu_at_which_even_orthogonal_features_are_out_of_range_is_refused() {
    for divergence in ["kl", "js", "hellinger", "vlc"] {
        let with = |mu: &str| objective(divergence, &format!("{{ name = 'gaussian', mu = {mu} }}"));
        assert_eq!(
            with("1e30").unwrap_err().to_string(),
            "similarity.mu: 1e30 is above 7.4e16, where orthogonal features have a ratio of 1e16: gradients overflow f32 or \
             vanish there; take a smaller mu"
        );
        with("1e15").unwrap();
    }
    // That of the default, at the width of the paper's texts.
    objective("kl", "{ name = 'gaussian', temperature = 0.025, mu = 2.35e17 }").unwrap();
}

#[test]
fn the_steepest_that_is_allowed_is_finite_wherever_the_features_lie() {
    let same = unit_rows(1, 8, Kind::Float, 1).repeat([1024, 1]);
    let any = unit_rows(1024, 8, Kind::Float, 2);
    for divergence in registry::list::<dyn Divergence>().iter().map(|part| part.name) {
        let (mut refused, mut allowed) = (0.01, 1.0);
        for _ in 0..20 {
            let middle = f64::midpoint(refused, allowed);
            match gaussian(divergence, middle) {
                Ok(_) => allowed = middle,
                Err(_) => refused = middle,
            }
        }
        let objective = gaussian(divergence, allowed).unwrap();
        for (anchors, positives) in [(&same, &same), (&same, &-&same), (&any, &any), (&any, &-&any)] {
            let leaf = |rows: &Tensor| rows.detach().set_requires_grad(true);
            let (anchors, positives) = (leaf(anchors), leaf(positives));
            let loss = objective.loss(&Pairing {
                anchors: anchors.shallow_clone(),
                positives: positives.shallow_clone(),
                negatives: Negatives::Batch,
            });
            loss.value.backward();
            let all = [loss.value.detach(), anchors.grad(), positives.grad()];
            let finite = all.iter().all(|tensor| tensor.isfinite().all().int64_value(&[]) == 1);
            assert!(finite, "{divergence} with sigma {allowed}: {:?}", loss.value);
        }
    }
}
