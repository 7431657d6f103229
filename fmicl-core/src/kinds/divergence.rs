//! The kind of part `divergence`: an f-divergence, written in the log density ratio.

use tch::Tensor;

/// An f-divergence `D_f(P || Q) = E_Q[f(p/q)]`, `f` convex with `f(1) = 0`.
///
/// Everything is a function of the log ratio `l = log u`, elementwise on tensors of any shape, device and
/// float kind, so that nothing overflows or takes the logarithm of zero. The laws that tie the methods
/// together are checked by [`crate::testing::check_divergence`]; call it from your own tests.
///
/// Source: Lu et al., "f-MICL", TMLR 2023, arXiv 2402.10150, section 3 and table 1; the conjugate is
/// Fenchel's, `f*(t) = sup_u (u t - f(u))`.
pub trait Divergence: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> crate::Result<()> {
        Ok(())
    }

    /// The generator `f(u)` at `u = e^l`.
    fn generator(&self, log_u: &Tensor) -> Tensor;

    /// The optimal critic `s = f'(u)` at `u = e^l`.
    fn critic(&self, log_u: &Tensor) -> Tensor;

    /// The conjugate `f*(t)`, for `t` inside [`domain`](Divergence::domain).
    fn conjugate(&self, t: &Tensor) -> Tensor;

    /// Bounds of the argument `t` of [`conjugate`](Divergence::conjugate). A raw critic (cosine, linear) is clamped to
    /// them first, so its slope is 0 outside. If the true domain is open, return a bound just inside it.
    fn domain(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }

    /// Bounds of the optimal critic `f'(u)`, from `u = 0` to infinity, open or closed; a shifted critic of a ratio is clamped
    /// just inside them, which is the conjugate over `u >= 0`. By default those of [`domain`](Divergence::domain).
    fn range(&self) -> (f64, f64) {
        self.domain()
    }

    /// Change of its options that makes it flatter, as the end of "a larger sigma, or ..."; by default none does.
    fn flatter(&self) -> Option<&'static str> {
        None
    }

    /// The penalty on a negative pair, `f*(f'(u))` at `u = e^l`, in closed form so that it stays finite.
    fn penalty(&self, log_u: &Tensor) -> Tensor;

    /// Returns true if `f*(t) = e^(t - 1)`, as Kullback-Leibler's alone: a constant added to the critic is then a factor of
    /// the penalty, so that the best shift needs no pass of its own.
    fn has_exponential_conjugate(&self) -> bool {
        false
    }

    /// The penalty and its slope `d/dl f*(f'(e^l))`, which share most of their arithmetic. Called without gradient on
    /// one tile after another, so most of the estimator's time is spent here and in matrix products: the argument is
    /// given away, so that its memory can be used again ([`exp`](crate::estimator::exp)). The default asks autograd for the slope.
    fn penalty_and_slope(&self, log_u: Tensor) -> (Tensor, Tensor) {
        crate::estimator::with_slope(&log_u, |log_u| self.penalty(log_u))
    }
}

crate::kind!(Divergence, "divergence");
