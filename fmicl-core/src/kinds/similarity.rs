//! The kind of part `similarity`: from the cosine of a pair to the input of the divergence.

use crate::Learned;
use tch::Tensor;

/// Kind of value that a [`Similarity`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Critic {
    /// The log density ratio `l = log u`; the critic is `s = f'(e^l)`.
    Ratio,
    /// The critic `t` itself, fed to `f*` directly.
    Raw,
}

/// Choice of the factor `mu` of a density ratio `u`, which [`Similarity::value`] then leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normaliser {
    /// None: the value is the whole log ratio.
    Off,
    /// Two independent features that are uniform on the sphere have a mean ratio of 1.
    Uniform,
    /// The negatives of each batch have a mean ratio of 1. The factor has a gradient, so that moving all cosines together
    /// changes no ratio.
    Batch,
}

/// A similarity of two unit-length features, a function of their cosine `c` (so `|x - y|^2 = 2 - 2c`).
///
/// [`crate::testing::check_similarity`] checks these laws.
pub trait Similarity: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> crate::Result<()> {
        Ok(())
    }

    /// Tells if [`value`](Similarity::value) is a log ratio or a raw critic.
    fn critic(&self) -> Critic;

    /// The similarity at cosines of any shape, each in -1 to 1. Increasing.
    fn value(&self, cosine: &Tensor) -> Tensor;

    /// `(scale, offset)` of a similarity that is `scale * c + offset`: the estimator then gets it from the matrix
    /// product of the cosines at no cost.
    fn affine(&self) -> Option<(f64, f64)> {
        None
    }

    /// Scalars that are learned, for an [`affine`](Similarity::affine) log ratio; none by default.
    fn learned(&self) -> Vec<Learned> {
        Vec::new()
    }

    /// [`affine`](Similarity::affine) at values of the [`learned`](Similarity::learned) scalars, in their order; two
    /// tensors of shape `[]` with gradient. `None` if nothing is learned.
    fn affine_at(&self, _learned: &[Tensor]) -> Option<(Tensor, Tensor)> {
        None
    }

    /// Factor of the ratio that depends on the features' dimension or on the batch. Other than [`Normaliser::Off`] only for
    /// an [`affine`](Similarity::affine) log ratio.
    fn normaliser(&self) -> Normaliser {
        Normaliser::Off
    }

    /// Whether options fix the factor of the ratio or choose its [`normaliser`](Similarity::normaliser). The objective
    /// `f-micl` then has no shift by default.
    fn sets_factor(&self) -> bool {
        self.normaliser() != Normaliser::Off
    }

    /// The option, with its value, that makes the [`normaliser`](Similarity::normaliser) that of the batch, if the factor is not
    /// [set](Similarity::sets_factor) otherwise.
    fn normalising(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Advice for an error message, such as "a larger sigma": a change of options that makes the similarity less steep,
    /// if a divergence of it overflows f32.
    fn flatter(&self) -> &'static str {
        "other options of the similarity"
    }

    /// The similarity and its slope `d/dc`, for one that is not [`affine`](Similarity::affine). The default uses
    /// autograd.
    fn value_and_slope(&self, cosine: &Tensor) -> (Tensor, Tensor) {
        crate::estimator::with_slope(cosine, |cosine| self.value(cosine))
    }
}

crate::kind!(Similarity, "similarity");
