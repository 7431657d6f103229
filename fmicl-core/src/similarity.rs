//! The kind of part `similarity`: from the cosine of a pair to what the divergence is fed.

use tch::Tensor;

/// What a [`Similarity`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Critic {
    /// The log density ratio `l = log u`; the critic is `s = f'(e^l)`.
    Ratio,
    /// The critic `t` itself, fed to `f*` directly.
    Raw,
}

/// A similarity of two unit-length features, a function of their cosine `c` (so `|x - y|^2 = 2 - 2c`).
///
/// [`crate::testing::check_similarity`] checks what is promised here.
pub trait Similarity: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> crate::Result<()> {
        Ok(())
    }

    /// Whether [`value`](Similarity::value) is a log ratio or a raw critic.
    fn critic(&self) -> Critic;

    /// The similarity at cosines of any shape, each in -1 to 1. Increasing.
    fn value(&self, cosine: &Tensor) -> Tensor;

    /// `(scale, offset)` of a similarity that is `scale * c + offset`: the estimator then has it from the matrix product
    /// that makes the cosines, for nothing.
    fn affine(&self) -> Option<(f64, f64)> {
        None
    }

    /// What would make it change less with the cosine, as the words of an error: where a divergence of it leaves the range of
    /// f32, this is what helps.
    fn flatter(&self) -> &'static str {
        "other options of the similarity"
    }

    /// The similarity and its slope `d/dc`, for one that is not [`affine`](Similarity::affine). The default asks
    /// autograd.
    fn value_and_slope(&self, cosine: &Tensor) -> (Tensor, Tensor) {
        crate::estimator::with_slope(cosine, |cosine| self.value(cosine))
    }
}

crate::kind!(Similarity, "similarity");
